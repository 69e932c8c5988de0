//! The registry: one name, one handler; the higher priority serves; a tie is an error at start-up.

use connector::handler::{Context, Handler, HandlerError, Registry};

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
