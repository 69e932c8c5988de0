//! What is not started because it could not end in time.

use std::sync::Arc;
use std::time::Duration;

use connector::parameter::Section;
use testkit::fakes::{FakeTransport, ManualClock};

use crate::support::{World, on_route};

#[test]
fn work_that_cannot_end_in_time_is_not_started() {
    let world = World::new();
    assert_eq!(world.route_within(&on_route("deliver", 1), Duration::from_secs(20)), ["m1"]);
    assert!(world.delivered().is_empty());
    assert_eq!(world.event_queue.postponed(), [("receipt-m1".to_owned(), Duration::from_secs(5))]);
    let world = World::new();
    assert_eq!(
        world.route_within(&on_route("deliver", 1), Duration::from_secs(30)),
        ["m1"],
        "10 s are not enough"
    );
    assert!(world.delivered().is_empty());
}

/// Delivers twice; each delivery takes nine seconds of the clock.
struct Twice;

impl connector::handler::Handler for Twice {
    const NAME: &'static str = "twice";

    async fn handle(
        context: &connector::handler::Context<'_>,
    ) -> Result<(), connector::handler::HandlerError> {
        context.deliver("storefront", context.message.payload.get().as_bytes().to_vec()).await?;
        context.deliver("storefront", context.message.payload.get().as_bytes().to_vec()).await?;
        Ok(())
    }
}

#[test]
fn a_handler_cannot_start_a_delivery_that_could_not_end_in_time() {
    let mut world = World::new();
    let slow: Arc<dyn connector::ports::Transport> =
        Arc::new(Slow { inner: world.transport.clone(), clock: world.clock.clone() });
    world.router.sender.transport = slow;
    world.router.handlers = handlers::registry().register::<Twice>().build().unwrap();
    world.configuration.put(Section::Routes, "deliver", "message: Deliver\nhandler: twice");
    assert_eq!(world.route_within(&on_route("deliver", 1), Duration::from_secs(38)), ["m1"]);
    assert_eq!(world.delivered(), ["m1"], "the second delivery was not started");
    assert_eq!(world.log.types(), ["outbound.attempt", "message.fault"]);
    assert_eq!(world.log.entries()[1]["code"], "E_DEADLINE");
}

/// Takes nine seconds of the clock for each request.
struct Slow {
    inner: Arc<FakeTransport>,
    clock: ManualClock,
}

#[async_trait::async_trait]
impl connector::ports::Transport for Slow {
    async fn send(&self, request: connector::delivery::OutboundRequest) -> connector::delivery::Attempt {
        self.clock.advance(Duration::from_secs(9));
        self.inner.send(request).await
    }
}
