//! The registry: one name, one handler; the higher priority serves; a tie is an error at start-up. And which routes fit a job.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use connector::failure::Code;
use connector::handler::{Context, Handler, HandlerError, Handlers, Registry};
use connector::job::{Job, Progress, Step};
use connector::parameter::Section;
use connector::route::Route;
use serde_json::json;
use testkit::workbench::{Workbench, on_route};

macro_rules! handler {
    ($type:ident, $name:literal, $priority:literal) => {
        struct $type;
        impl Handler for $type {
            const NAME: &'static str = $name;
            const PRIORITY: i32 = $priority;
            async fn handle(_: &Context<'_>) -> Result<(), HandlerError> {
                Ok(())
            }
        }
    };
}

handler!(Shipped, "webhook", 0);
handler!(Same, "webhook", 0);
handler!(Partner, "webhook", 10);
handler!(Other, "other", 0);

#[test]
fn two_handlers_of_one_name_and_priority_are_an_error() {
    let error = Registry::default().register::<Shipped>().register::<Same>().build().err().unwrap();
    assert!(error.to_string().contains("\"webhook\""), "{error}");
}

#[test]
fn a_higher_priority_replaces_in_any_order() {
    assert!(
        Registry::default().register::<Shipped>().register::<Partner>().register::<Other>().build().is_ok()
    );
    assert!(Registry::default().register::<Partner>().register::<Shipped>().build().is_ok());
}

struct Pages;
impl Job for Pages {
    const NAME: &'static str = "pages";
    type Cursor = u32;
    async fn step(_: &Context<'_>, _: &Step<u32>) -> Result<Progress<u32>, HandlerError> {
        Ok(Progress::Ended { done: 1 })
    }
}

fn handlers() -> Handlers {
    Registry::default().register_job::<Pages>().register::<Other>().build().unwrap()
}

const WITH_FETCH: &str = "schedule: manual\nprops: { account: ACME }\nfetch: { query: '{ me }' }";
const WITH_RESPOND: &str = "schedule: manual\nprops: { account: ACME }\nrespond: { name: Told }";

#[test]
fn a_job_fits_a_route_that_the_clock_starts_and_that_asks_and_answers_nothing() {
    let unfit = |handler: &str, keys: &str| {
        let route = Route::parse(&format!("handler: {handler}\n{keys}")).unwrap();
        handlers().unfit(&route).map_or_else(|| "fits".to_owned(), |unfit| unfit.to_string())
    };
    assert_eq!(unfit("pages", "schedule: { every: 15m }\nendpoint: x\npayload: '{}'"), "fits");
    insta::assert_snapshot!(unfit("pages", "message: A"), @r#""handler" names pages, which is a job: its route needs a schedule in place of message (schedule: manual leaves the start to people)"#);
    insta::assert_snapshot!(unfit("pages", WITH_FETCH), @r#""fetch" does nothing here, take it out: handler pages is a job, which asks and answers by itself"#);
    insta::assert_snapshot!(unfit("pages", WITH_RESPOND), @r#""respond" does nothing here, take it out: handler pages is a job, which asks and answers by itself"#);
    for handler in ["other", "unknown"] {
        for keys in ["message: A", "schedule: manual", WITH_FETCH, WITH_RESPOND] {
            assert_eq!(unfit(handler, keys), "fits", "of {handler} nothing is said");
        }
    }
}

#[test]
fn the_handler_that_serves_decides_whether_its_name_is_a_jobs() {
    struct Replacement;
    impl Handler for Replacement {
        const NAME: &'static str = "pages";
        const PRIORITY: i32 = 10;
        async fn handle(_: &Context<'_>) -> Result<(), HandlerError> {
            Ok(())
        }
    }
    let is_job = |registry: Registry| registry.build().unwrap().is_job("pages");
    assert!(is_job(Registry::default().register_job::<Pages>()));
    assert!(!is_job(Registry::default().register_job::<Pages>().register::<Replacement>()));
    assert!(!is_job(Registry::default().register::<Replacement>().register_job::<Pages>()));
}

#[tokio::test]
async fn what_comes_to_a_job_on_a_route_that_does_not_fit_is_parked_with_what_to_mend() {
    for keys in ["message: A", WITH_FETCH, WITH_RESPOND] {
        let bench = Workbench::with(&[(Section::Routes, "r", &format!("handler: pages\n{keys}"))]);
        let error = bench.handle(&handlers(), &on_route("r", "A", &json!({"id": "1"}))).await.unwrap_err();
        let HandlerError::Misconfigured { code: Code::Route, reason } = error else {
            panic!("{keys}: {error}")
        };
        assert!(reason.contains("pages") && reason.contains("is a job"), "{reason}");
    }
}
