//! The README says what the code does.

use std::collections::BTreeSet;
use std::time::Duration;

use connector::account::{self, Account};
use connector::authentication;
use connector::breaker::{FIRST_REST, LONGEST_REST, TIMEOUTS};
use connector::cache::Snapshot as _;
use connector::configuration::RoutingTable;
use connector::disposition::Reason;
use connector::emission::{COMMERCETOOLS_IDENTITY, FLUENT_IDENTITY};
use connector::endpoint::{self, Endpoint, LONGEST_TIMEOUT, SHORTEST_TIMEOUT};
use connector::failure::Code;
use connector::message::{MAX_MESSAGE_BYTES, RESERVED_BYTES};
use connector::message_names::{self, MessageNames};
use connector::metrics::{self, Metric};
use connector::parameter::{Parameter, Section};
use connector::project::{self, Project};
use connector::retry::{DEFAULT_DELAYS, LONGEST_DELAY, MAX_DELAYS};
use connector::route::{self, Route};
use connector::secret::Secret;
use connector::shipped;
use connector::source::{self, Source};
use connector::subscription::{self, Subscription};
use connector::template::{Format, MAX_RENDERED_BYTES, MAX_STEPS, MESSAGE_VARIABLES, Scope, Template};
use connector::timetable;
use connector::unverified;

const README: &str = include_str!("../../../README.md");
const RUNBOOK: &str = include_str!("../../docs/runbook.md");

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
fn the_runbook_says_what_to_do_for_every_code_once() {
    let rows = RUNBOOK.lines().filter_map(|line| line.strip_prefix("| `E_")?.split_once("` | "));
    let (mut told, done): (Vec<_>, Vec<_>) = rows.map(|(code, done)| (format!("E_{code}"), done)).unzip();
    let mut known: Vec<_> = Code::ALL.iter().map(ToString::to_string).collect();
    told.sort();
    known.sort();
    assert_eq!(told, known);
    assert!(done.iter().all(|done| done.trim_end_matches(" |").len() > 3), "{done:?}");
    let words = RUNBOOK.split(|c: char| !c.is_ascii_uppercase() && c != '_');
    let mut codes = words.filter(|word| word.starts_with("E_") && word.len() > 2);
    assert_eq!(codes.find(|code| !known.iter().any(|known| known == code)), None);
}

#[test]
fn the_runbook_names_every_reason_and_no_time_that_is_not_so() {
    for reason in Reason::ALL.iter().map(|reason| reason.as_str()).chain(["unqueued", "unverified"]) {
        assert!(RUNBOOK.contains(&format!("`{reason}`")), "{reason}");
    }
    assert!(RUNBOOK.contains("retries last 17.6 hours by default") && RUNBOOK.contains("may wait 10 hours"));
    let whole: u64 = DEFAULT_DELAYS.iter().map(Duration::as_secs).sum();
    assert_eq!((whole, DEFAULT_DELAYS.last().map(Duration::as_secs)), (63_305, Some(36_000)));
    assert!(RUNBOOK.contains("`timeout` may be up to 15 s") && RUNBOOK.contains("up to 11 hours later"));
    assert_eq!((LONGEST_TIMEOUT.as_secs(), LONGEST_DELAY.as_secs()), (15, 11 * 3_600));
}

#[test]
fn the_limits_are_those_of_the_code() {
    assert_eq!((MAX_MESSAGE_BYTES, RESERVED_BYTES), (1 << 20, 4 << 10));
    assert!(README.contains("1 MiB, less 4 KiB"));
    assert_eq!(connector::endpoint::DEFAULT_TIMEOUT.as_secs(), 10);
    assert_eq!(connector::delivery::LOGGED_BODY_BYTES, 2 << 10);
}

#[test]
fn every_header_that_is_kept_unverified_is_told_and_no_other_and_the_presets_need_no_more() {
    let told =
        README.split_once("Of an unverified request").and_then(|(_, behind)| behind.split(").").next());
    let told: BTreeSet<_> = told.unwrap_or_default().split('`').skip(1).step_by(2).collect();
    let kept: BTreeSet<_> = unverified::PROOFS.into_iter().chain(unverified::FACTS).collect();
    assert_eq!(told, kept);
    let words = source::PRESETS.lines().filter(|line| !line.trim_start().starts_with('#'));
    let words: Vec<_> = words.flat_map(|line| line.split([' ', '"', ',', '{', '}', '/', '[', ']'])).collect();
    let named = words.iter().filter_map(|word| word.strip_prefix("header:")).filter(|name| !name.is_empty());
    let proofs =
        words.windows(2).filter(|pair| pair.first() == Some(&"header:")).filter_map(|pair| pair.get(1));
    let of_standard = ["webhook-id", "webhook-timestamp", "webhook-signature", "flex.signature"];
    let needed: BTreeSet<_> = named.chain(proofs.copied()).chain(of_standard).collect();
    assert_eq!(needed, kept);
}

#[test]
fn the_commands_are_targets_of_the_makefile() {
    let makefile = include_str!("../../../Makefile");
    let commands = README.lines().filter_map(|line| line.strip_prefix("make ")?.split(' ').next());
    let commands: Vec<_> = commands.collect();
    assert_eq!(commands, ["run", "test"]);
    assert!(commands.iter().all(|command| makefile.contains(&format!("\n{command}:"))));
}

/// Every page with examples of parameters.
const PAGES: [(&str, &str); 8] = [
    ("README.md", README),
    ("shared/docs/first-delivery.md", include_str!("../../docs/first-delivery.md")),
    ("shared/docs/runbook.md", RUNBOOK),
    ("shared/docs/connect-sdk.md", include_str!("../../docs/connect-sdk.md")),
    ("shared/handlers/README.md", include_str!("../../handlers/README.md")),
    ("shared/connector/README.md", include_str!("../README.md")),
    ("shared/fluent/README.md", include_str!("../../fluent/README.md")),
    ("shared/testkit/README.md", include_str!("../../testkit/README.md")),
];

/// What stands between the fences of a language on a page.
fn blocks(page: &'static str, language: &str) -> Vec<&'static str> {
    let blocks = page.split("```").skip(1).step_by(2);
    blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n')).collect()
}

#[test]
fn every_example_of_every_page_is_what_it_says() {
    let mut parameters = 0;
    for (page, text) in PAGES {
        for block in blocks(text, "yaml") {
            let about = block.lines().next().unwrap_or_default();
            let read = match about.strip_prefix("# ").and_then(|path| path.split_once('/')) {
                Some(("routes", _)) => Route::parse(block).map(drop).map_err(|error| error.to_string()),
                Some(("endpoints", _)) => Endpoint::parse(block).map(drop).map_err(|error| error.to_string()),
                Some(("subscriptions", name)) => {
                    Subscription::parse(name, block).map(drop).map_err(|error| error.to_string())
                }
                Some(("accounts", _)) => Account::parse(block).map(drop).map_err(|error| error.to_string()),
                Some(("commercetools", key)) => {
                    Project::parse(key, block).map(drop).map_err(|error| error.to_string())
                }
                Some(("sources", "commercetools")) => message_names_of(block),
                Some(("sources", name)) => {
                    Source::parse(name, block).map(drop).map_err(|error| error.to_string())
                }
                _ => Err("its first line does not name the parameter".to_owned()),
            };
            assert_eq!(read, Ok(()), "{page}: {block}");
            parameters += 1;
        }
        for block in blocks(text, "json") {
            let read = serde_json::from_str::<serde_json::Value>(block);
            assert!(read.is_ok(), "{page}: {block}: {read:?}");
        }
    }
    assert!(parameters > 5, "{parameters}");
}

#[test]
fn the_command_that_makes_a_route_makes_one() {
    let route = r"$'message: OrderStatusChange\nendpoint: storefront'";
    assert!(README.contains(route));
    assert!(Route::parse("message: OrderStatusChange\nendpoint: storefront").is_ok());
}

/// The part of the README under a heading, to the next one.
fn part(heading: &str) -> &'static str {
    let behind = README.split_once(&format!("\n### {heading}\n")).map(|(_, behind)| behind);
    behind.and_then(|behind| behind.split("\n##").next()).unwrap_or_default()
}

/// The keys in the first column of the tables `| key | meaning | default |`.
fn told_keys(part: &str) -> BTreeSet<String> {
    let tables = part.split("\n\n").filter(|table| table.starts_with("| key | meaning | default |"));
    let cells = tables.flat_map(|table| table.lines().skip(2)).filter_map(|row| row.split('|').nth(1));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

fn known_keys(keys: &[&str], sections: &[(&str, &[&str])]) -> BTreeSet<String> {
    let nested =
        sections.iter().flat_map(|(section, keys)| keys.iter().map(move |key| format!("{section}.{key}")));
    keys.iter().map(ToString::to_string).chain(nested).collect()
}

#[test]
fn every_key_is_told_and_no_other() {
    let routes = known_keys(
        &route::KEYS,
        &[("fetch", &route::FETCH_KEYS), ("respond", &[&["when"], route::EVENT_FIELDS.as_slice()].concat())],
    );
    assert_eq!(told_keys(part("Routes")), routes);
    let jobs = README.split_once("\n## Jobs\n").and_then(|(_, behind)| behind.split("\n## ").next());
    let jobs = jobs.unwrap_or_default();
    let told = told_keys(jobs);
    let schedule = known_keys(&[], &[("schedule", &timetable::KEYS)]);
    assert_eq!(
        told.into_iter().filter(|key| key.starts_with("schedule.")).collect::<BTreeSet<_>>(),
        schedule
    );
    for key in connector::job::STATE_KEYS {
        assert!(jobs.contains(&format!("\n| `{key}` |")), "{key}");
    }
    assert!(jobs.contains("two minutes before it") && connector::job::OVERLAP.as_secs() == 120);
    let endpoints = known_keys(&endpoint::KEYS, &[("retry", &endpoint::RETRY_KEYS)]);
    assert_eq!(told_keys(part("Endpoints")), endpoints);
    let subscriptions = known_keys(&subscription::KEYS, &[("retry", &endpoint::RETRY_KEYS)]);
    assert_eq!(told_keys(part("Subscriptions")), subscriptions);
    let sources = known_keys(
        &source::KEYS,
        &[("entity", &source::ENTITY_KEYS), ("ping", &source::PING_KEYS), ("answer", &source::ANSWER_KEYS)],
    );
    assert_eq!(told_keys(part("Webhooks of other systems")), sources);
    assert_eq!(told_keys(part("Accounts")), known_keys(&account::KEYS, &[]));
    assert_eq!(told_keys(part("Projects of commercetools")), known_keys(&project::KEYS, &[]));
}

#[test]
fn every_kind_of_auth_is_told_with_all_its_keys() {
    let rows = part("Endpoints").lines().filter_map(|row| row.strip_prefix("| `{ type: ")?.split('`').next());
    let rows: Vec<_> = rows.map(|row| row.trim_end_matches(" }")).collect();
    let kinds: Vec<_> = rows.iter().filter_map(|row| row.split(',').next()).collect();
    assert_eq!(kinds, authentication::kinds().collect::<Vec<_>>());
    let keys = rows.iter().flat_map(|row| row.split(", ").skip(1)).filter_map(|pair| pair.split_once(": "));
    let keys: BTreeSet<_> = keys.map(|(key, _)| key).chain(["type"]).collect();
    assert_eq!(keys, BTreeSet::from(authentication::KEYS));
}

#[test]
fn every_proof_and_every_preset_of_a_source_is_told() {
    let part = part("Webhooks of other systems");
    let rows = part.lines().filter_map(|row| row.strip_prefix("| `{ type: ")?.split(" }`").next());
    let rows: Vec<Vec<_>> = rows.map(|row| row.split(", ").collect()).collect();
    let known = source::kinds().map(|kind| [&[kind], source::keys_of(kind)].concat());
    assert_eq!(rows, known.collect::<Vec<_>>());
    let presets: Vec<_> = source::presets().map(|preset| format!("`{preset}`")).collect();
    assert!(part.contains(&format!("| `preset` | {}:", presets.join(", "))), "{presets:?}");
    assert_eq!((source::DEFAULT_TOLERANCE.as_secs(), source::LONGEST_TOLERANCE.as_secs()), (300, 86_400));
    assert!(part.contains(&format!("| `{}`, what fits the queue |", source::MOST_BYTES)));
    assert!(part.contains(&format!("`auth: {}`", source::NOTHING)));
}

#[test]
fn what_is_told_of_templates_is_so() {
    let templates = part("Templates");
    assert_eq!((MAX_STEPS, MAX_RENDERED_BYTES), (500_000, 1 << 20));
    assert!(templates.contains("500,000 steps and 1 MiB"));
    for variable in [MESSAGE_VARIABLES, &["data", "response"]].concat() {
        assert!(templates.contains(&format!("\n| `{variable}` |")), "{variable}");
    }
    let table = templates.split("\n\n").find(|table| table.starts_with("| filter |")).unwrap_or_default();
    for filter in table.split('`').skip(1).step_by(2).filter(|text| !text.contains(['{', '%', '.', '9'])) {
        let name = filter.split('(').next().unwrap_or_default();
        let source = format!("{{{{ event | {name} }}}}");
        assert!(Template::parse(&source, Format::Text, MESSAGE_VARIABLES).is_ok(), "{filter}");
    }
    for block in blocks(templates, "") {
        let parsed = Template::parse(block, Format::Json, MESSAGE_VARIABLES);
        assert!(parsed.is_ok(), "{block}: {parsed:?}");
    }
}

#[test]
fn the_limits_of_an_api_are_those_of_the_code() {
    assert!(README.contains("(2 MiB of an API's)"));
    assert_eq!(connector::call::CALL_ANSWER_BYTES, 2 << 20);
}

#[test]
fn the_routes_of_the_readme_are_routes() {
    let examples = examples("routes");
    assert!(!examples.is_empty());
    let shipped = RoutingTable::build(&[], None).0.routes().count();
    for example in examples {
        let name = example.lines().next().and_then(|line| line.strip_prefix("# routes/"));
        let parameter = Parameter {
            section: Section::Routes,
            name: name.unwrap_or_default().to_owned(),
            value: Secret::new(example),
            version: 1,
        };
        let (table, problems) = RoutingTable::build(&[parameter], None);
        assert!(problems.is_empty(), "{example}: {problems:?}");
        assert_eq!(table.routes().count(), shipped + 1);
    }
}

#[test]
fn the_table_of_shipped_routes_says_what_their_file_says() {
    for name in shipped::names() {
        let route = shipped::route(name).expect("it is shipped").expect("it is a route");
        let row = README.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
        let row = row.unwrap_or_else(|| unreachable!("{name} has no row"));
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let messages: Vec<_> = route.wanted.names.patterns().iter().map(|name| format!("`{name}`")).collect();
        let account = match &route.fetch {
            _ if route.handler.starts_with("commercetools-") => "account, project",
            None if !route.handler.starts_with("fluent-") => "",
            _ => "account",
        };
        let endpoint = route.endpoint.map_or_else(String::new, |endpoint| format!("`{endpoint}`"));
        let event = shipped_event(name);
        assert_eq!(
            cells.get(2..),
            Some(&[&*endpoint, &*messages.join(", "), account, &*event][..]),
            "{name}"
        );
    }
}

#[test]
fn the_projects_of_the_readme_are_projects_and_their_scopes_the_default() {
    let examples = examples("commercetools");
    assert!(!examples.is_empty());
    for example in examples {
        let project = Project::parse("acme-shop", example).expect("it is one");
        let without: Vec<_> = example.lines().filter(|line| !line.starts_with("scopes:")).collect();
        assert_eq!(
            Project::parse("acme-shop", &without.join("\n")),
            Ok(project),
            "the default is spelled out"
        );
    }
}

/// The event that a shipped route responds with, as the table shows it.
fn shipped_event(route: &str) -> String {
    let file = shipped::FILE.split(&format!("\n{route}:\n")).nth(1).unwrap_or_default();
    let file = file.split("\n\n").next().unwrap_or_default();
    let name = file.split("  respond:\n    name: ").nth(1).and_then(|rest| rest.lines().next());
    name.map_or_else(String::new, |name| format!("`{name}`"))
}

/// The YAML blocks that are one parameter of a section, by their first line.
fn examples(section: &str) -> Vec<&'static str> {
    let blocks = blocks(README, "yaml").into_iter();
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

#[test]
fn the_payloads_of_the_pages_make_what_they_promise() {
    let data = r#"{"orderById":{"ref":"HD_1","customer":{"primaryEmail":"a@shop.example"}},"fulfilmentById":{"ref":"F1","items":{"edges":[{"node":{"ref":"i1","requestedQuantity":2}}]}}}"#;
    let mut made = Vec::new();
    for block in PAGES.iter().flat_map(|(_, page)| blocks(page, "yaml")) {
        let Some(route) = block.strip_prefix("# routes/").and_then(|_| Route::parse(block).ok()) else {
            continue;
        };
        let Some(payload) = route.payload else { continue };
        let props = serde_json::Value::Object(route.props).to_string();
        let scope = Scope::default()
            .with_json("event", r#"{"entityRef":"HD_1","requestedAt":"2026-11-20T08:30:00Z"}"#);
        let scope = scope.and_then(|scope| scope.with_json("data", data)?.with_json("props", &props));
        let text = scope.map(|scope| payload.render(&scope));
        assert!(matches!(text, Ok(Ok(_))), "{block}: {text:?}");
        made.extend(text.into_iter().flatten().map(|text| text.split_whitespace().collect::<String>()));
    }
    insta::assert_snapshot!(made.join("\n"), @r#"
    {"order":"HD_1","email":"a@shop.example"}
    {"at":"2026-11-20T08:30:00Z"}
    {"order":"HD_1","status":"unknown"}
    {"order":"HD_1","state":"Open"}
    {"fulfilment":"F1","lines":[{"ref":"i1","requestedQuantity":2}]}
    {"order":"HD_1","site":"north"}
    "#);
}

#[test]
fn the_filter_of_the_readme_decides_on_whatever_its_topics_bring() {
    let block = blocks(README, "yaml").into_iter().find(|block| block.starts_with("# subscriptions/"));
    let subscription = Subscription::parse("acme-bi", block.expect("there is one")).expect("it is one");
    let filter = subscription.route.when.expect("it has a filter");
    let holds = |source: &str, event: &str| {
        let message = format!(r#"{{"source":"{source}"}}"#);
        let scope = Scope::default().with_json("event", event).expect("JSON");
        filter.holds(&scope.with_json("message", &message).expect("JSON")).expect("it decides")
    };
    assert!(holds("fluent", r#"{"entityStatus":"SHIPPED"}"#) && holds("commercetools", "{}"));
    assert!(!holds("fluent", r#"{"entityStatus":"CREATED"}"#) && !holds("fluent", "{}"));
}

#[test]
fn what_is_told_of_a_light_payload_is_so() {
    for (source, fields) in [("fluent", &FLUENT_IDENTITY[..]), ("commercetools", &COMMERCETOOLS_IDENTITY[..])]
    {
        let row = part("Subscriptions").lines().find_map(|row| row.strip_prefix(&format!("| `{source}` |")));
        let told: Vec<_> = row.unwrap_or_default().split('`').skip(1).step_by(2).collect();
        let known: Vec<_> = fields
            .iter()
            .flat_map(|(name, parts)| [*name].into_iter().chain(parts.iter().copied()))
            .collect();
        assert_eq!(told, known, "{source}");
    }
}

/// Reads the names of commercetools' messages.
fn message_names_of(document: &str) -> Result<(), String> {
    let parameter = Parameter {
        section: Section::Sources,
        name: "commercetools".to_owned(),
        value: Secret::new(document),
        version: 1,
    };
    let (_, problems) = MessageNames::build(&[parameter], None);
    problems.into_iter().next().map_or(Ok(()), |problem| Err(problem.reason))
}

#[test]
fn the_names_of_the_readme_are_those_of_the_code() {
    let table = message_names::FILE.lines().filter(|line| !line.starts_with('#'));
    let names: BTreeSet<_> =
        table.flat_map(str::split_whitespace).filter(|word| word.starts_with("commercetools.")).collect();
    let rows = README.lines().filter(|line| line.starts_with("| `") && line.ends_with("` |"));
    let told: BTreeSet<_> = rows.filter_map(|line| line.split('`').nth_back(1)).collect();
    assert!(!names.is_empty() && names.is_subset(&told), "{names:?} {told:?}");
}

#[test]
fn every_metric_is_told_with_its_unit_and_dimensions() {
    let page = include_str!("../../docs/metrics.md");
    let told: Vec<_> = page.lines().filter(|line| line.starts_with("| `")).collect();
    let by = |metric: &Metric| metric.by.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    let row = |metric: &Metric| {
        format!("| `{}` | {} | {} | {} |", metric.name, metric.unit.as_str(), by(metric), metric.meaning)
    };
    let rows: Vec<_> = metrics::ALL.iter().map(row).collect();
    assert_eq!(told, rows, "shared/docs/metrics.md should hold\n{}", rows.join("\n"));
}
