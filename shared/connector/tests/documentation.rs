//! The README says what the code does.

use connector::failure::Code;
use connector::message::{MAX_MESSAGE_BYTES, RESERVED_BYTES};

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
