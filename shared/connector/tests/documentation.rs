//! The README says what the code does.

use connector::breaker::{FIRST_REST, LONGEST_REST, TIMEOUTS};
use connector::endpoint::{Endpoint, LONGEST_TIMEOUT, SHORTEST_TIMEOUT};
use connector::failure::Code;
use connector::message::{MAX_MESSAGE_BYTES, RESERVED_BYTES};
use connector::retry::{LONGEST_DELAY, MAX_DELAYS};

const README: &str = include_str!("../../../README.md");

#[test]
fn the_code_tables_hold_every_code_once_and_no_other() {
    let rows = README.lines().filter_map(|line| line.strip_prefix("| `E_")?.split('`').next());
    let mut told: Vec<_> = rows.map(|code| format!("E_{code}")).collect();
    let mut known: Vec<_> = Code::ALL.iter().map(ToString::to_string).collect();
    told.sort();
    known.sort();
    assert_eq!(told, known);
}

#[test]
fn the_limits_are_those_of_the_code() {
    assert_eq!((MAX_MESSAGE_BYTES, RESERVED_BYTES), (1 << 20, 4 << 10));
    assert!(README.contains("1 MiB, less 4 KiB"));
    assert_eq!(connector::endpoint::DEFAULT_TIMEOUT.as_secs(), 10);
    assert_eq!(connector::delivery::LOGGED_BODY_BYTES, 2 << 10);
}

#[test]
fn the_commands_are_targets_of_the_makefile() {
    let makefile = include_str!("../../../Makefile");
    let commands = README.lines().filter_map(|line| line.strip_prefix("make ")?.split(' ').next());
    let commands: Vec<_> = commands.collect();
    assert_eq!(commands, ["run", "test"]);
    assert!(commands.iter().all(|command| makefile.contains(&format!("\n{command}:"))));
}

#[test]
fn the_route_of_the_readme_is_a_route() {
    assert!(README.contains(r"$'message: OrderStatusChange\nendpoint: storefront'"));
    assert!(connector::route::Route::parse("message: OrderStatusChange\nendpoint: storefront").is_ok());
}

#[test]
fn the_accounts_of_the_readme_are_accounts() {
    let examples = examples("accounts");
    assert!(!examples.is_empty());
    for example in examples {
        let account = connector::account::Account::parse(example);
        assert!(account.is_ok(), "{example}: {account:?}");
    }
    assert!(README.contains("(2 MiB of an API's)"));
    assert_eq!(connector::call::CALL_ANSWER_BYTES, 2 << 20);
}

/// The YAML blocks that are one parameter of a section, by their first line.
fn examples(section: &str) -> Vec<&'static str> {
    let blocks = README.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("yaml\n"));
    blocks.filter(|block| block.starts_with(&format!("# {section}/"))).collect()
}

#[test]
fn the_endpoints_of_the_readme_are_endpoints_and_its_defaults_those_of_the_code() {
    let examples = examples("endpoints");
    assert!(!examples.is_empty());
    for example in examples {
        let endpoint = Endpoint::parse(example);
        assert!(endpoint.is_ok(), "{example}: {endpoint:?}");
        let bare = Endpoint::parse("https://shop.example/orders").expect("a bare URL");
        let endpoint = endpoint.expect("it is one");
        assert_eq!(
            (&endpoint.method, endpoint.timeout, &endpoint.schedule, endpoint.ordering, endpoint.paused),
            (&bare.method, bare.timeout, &bare.schedule, bare.ordering, bare.paused),
            "the example spells the defaults out"
        );
    }
    for said in [
        "`100ms` to `15s`",
        "at most 20, none over `11h`",
        "after two timeouts in a row: for 30 s, growing to 5 minutes",
    ] {
        assert!(README.contains(said), "{said}");
    }
    assert_eq!((SHORTEST_TIMEOUT.as_millis(), LONGEST_TIMEOUT.as_secs()), (100, 15));
    assert_eq!((MAX_DELAYS, LONGEST_DELAY.as_secs()), (20, 11 * 3_600));
    assert_eq!((TIMEOUTS, FIRST_REST.as_secs(), LONGEST_REST.as_secs()), (2, 30, 300));
}
