//! Jobs against a queue and a store that fail at random: one run at a time, each step in its turn, nothing left out.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use connector::failure::Code;
use connector::handler::{Context, HandlerError, Handlers, Registry};
use connector::job::{Asker, Beginning, Entity, Item, Job, Progress, Start, State, Step};
use connector::message::{MAX_MESSAGE_BYTES, Message, Outgoing};
use connector::parameter::Section;
use jiff::Timestamp;
use proptest::prelude::*;
use testkit::workbench::Workbench;

const ROUTES: &[(Section, &str, &str)] = &[
    (Section::Routes, "count", "schedule: { every: 15m }\nhandler: count-pages"),
    (Section::Routes, "pages", "message: Page\nhandler: ignore"),
    (Section::Routes, "off", "message: Page\nhandler: ignore\nenabled: false"),
];
/// How many steps a run has.
const STEPS: u32 = 4;

/// Hands over one item a step.
struct CountPages;

impl Job for CountPages {
    const NAME: &'static str = "count-pages";
    type Cursor = u32;

    async fn step(context: &Context<'_>, step: &Step<u32>) -> Result<Progress<u32>, HandlerError> {
        let page = step.cursor.unwrap_or(1);
        assert_eq!(page, step.number, "each step goes on where the last one stopped");
        assert_eq!(step.done, u64::from(page - 1));
        let entity = Entity {
            account_id: "ACME".to_owned(),
            retailer_id: "1".to_owned(),
            entity_type: "PAGE".to_owned(),
            entity_id: page.to_string(),
            entity_ref: page.to_string(),
        };
        let item = Item::of_fluent(&step.run, "Page", &entity, context.now()).unwrap();
        context.hand_over("pages", &[item]).await?;
        Ok(if page == STEPS {
            Progress::Ended { done: 1 }
        } else {
            Progress::GoOn { cursor: page + 1, done: 1 }
        })
    }
}

/// The job's group of a FIFO queue, and what it gives out.
struct World {
    bench: Workbench,
    handlers: Handlers,
    /// What waits in the group, in order.
    group: VecDeque<Outgoing>,
    /// Ids that SQS has seen within its window.
    seen: BTreeSet<String>,
    /// Ids of the items that were handed over.
    items: Vec<String>,
    /// How much of the bench's queue was looked at.
    taken: usize,
    /// How often the head of the group was handled.
    attempts: u32,
}

impl World {
    fn new() -> Self {
        Self::with(ROUTES)
    }

    fn with(routes: &[(Section, &str, &str)]) -> Self {
        let handlers = Registry::default().register_job::<CountPages>().register_job::<Boundless>();
        let (handlers, bench) = (handlers.build().unwrap(), Workbench::with(routes));
        let (group, seen, items) = Default::default();
        Self { bench, handlers, group, seen, items, taken: 0, attempts: 0 }
    }

    fn now(&self) -> Timestamp {
        self.bench.clock.port()()
    }

    fn start(&mut self, asker: Asker, beginning: Beginning) {
        static REQUESTS: AtomicU32 = AtomicU32::new(0);
        let id = format!("count/{}", REQUESTS.fetch_add(1, Ordering::Relaxed));
        let requested_at = self.now();
        let start = Start { route: "count".to_owned(), id, requested_at, asker, beginning };
        self.queued(start.outgoing(None).unwrap());
    }

    fn queued(&mut self, outgoing: Outgoing) {
        if !self.seen.insert(outgoing.deduplication.clone()) {
            return;
        }
        match Message::parse(&outgoing.body).unwrap().route.as_deref() {
            Some("count") => self.group.push_back(outgoing),
            Some("pages") => self.items.push(outgoing.deduplication),
            other => panic!("nothing is for {other:?}"),
        }
    }

    /// Lets the head of the group be handled once; what came of it. The head stays where it failed.
    async fn handle(&mut self) -> Result<(), HandlerError> {
        let head = Message::parse(&self.group.front().unwrap().body).unwrap();
        self.attempts += 1;
        let result = self.bench.handle_again(&self.handlers, &head, self.attempts).await;
        let sent = self.bench.event_queue.sent();
        for outgoing in &sent[self.taken..] {
            self.queued(outgoing.clone());
        }
        self.taken = sent.len();
        if result.is_ok() {
            self.park();
        }
        result
    }

    /// Takes the head out of the group.
    fn park(&mut self) -> Option<Outgoing> {
        self.attempts = 0;
        self.group.pop_front()
    }

    async fn settle(&mut self) {
        for _ in 0..1_000 {
            if self.group.is_empty() {
                return;
            }
            self.bench.clock.advance(Duration::from_secs(1));
            self.handle().await.unwrap();
        }
        panic!("it never ends");
    }

    fn state(&self) -> State {
        State::parse("count", self.bench.jobs.text("count").as_deref()).unwrap()
    }

    fn notes(&self) -> Vec<String> {
        let entries = self.bench.log.entries();
        entries.iter().filter_map(|entry| Some(entry.get("note")?.as_str()?.to_owned())).collect()
    }
}

#[tokio::test]
async fn a_run_takes_its_steps_and_the_next_one_begins_where_it_ended() {
    let mut world = World::new();
    world.start(Asker::Schedule, Beginning::LastEnd);
    world.settle().await;
    let first = world.state();
    assert_eq!((world.items.len(), first.run), (4, None));
    world.bench.clock.advance(Duration::from_mins(15));
    world.start(Asker::Schedule, Beginning::LastEnd);
    world.handle().await.unwrap();
    let window = world.state().run.unwrap().window;
    assert_eq!(window.from, Some(first.last_end_date.unwrap() - Duration::from_mins(2)), "with some overlap");
    assert_eq!(window.to, world.now());
    world.settle().await;
    assert_eq!(world.items.len(), 8);
    assert_eq!(world.state().last_end_date, Some(window.to), "the time of its begin, not of its end");
    insta::assert_snapshot!(world.notes().join("\n"), @r"
    4 done in 4 steps, from the beginning to 2026-11-20T08:30:01Z
    4 done in 4 steps, from 2026-11-20T08:28:01Z to 2026-11-20T08:45:05Z
    ");
}

#[tokio::test]
async fn a_run_may_begin_elsewhere() {
    for (beginning, from) in [
        (Beginning::Everything, None),
        (Beginning::Since("2026-01-01T00:00:00Z".parse().unwrap()), "2026-01-01T00:00:00Z".parse().ok()),
    ] {
        let mut world = World::new();
        world.bench.jobs.put("count", "lastEndDate: 2026-11-20T08:00:00Z");
        world.start(Asker::Person, beginning);
        world.handle().await.unwrap();
        assert_eq!(world.state().run.unwrap().window.from, from);
    }
}

#[tokio::test]
async fn a_schedule_that_meets_a_run_lets_it_be() {
    let mut world = World::new();
    world.start(Asker::Schedule, Beginning::LastEnd);
    world.handle().await.unwrap();
    world.bench.clock.advance(Duration::from_mins(15));
    world.start(Asker::Schedule, Beginning::LastEnd);
    world.settle().await;
    assert_eq!(world.items.len(), 4);
    assert!(
        world.notes()[0].ends_with("is under way, at step 3: the next time will do"),
        "{:?}",
        world.notes()
    );
}

#[tokio::test]
async fn a_person_that_meets_a_run_waits_for_its_end() {
    let mut world = World::new();
    world.start(Asker::Schedule, Beginning::LastEnd);
    world.handle().await.unwrap();
    world.start(Asker::Person, Beginning::Everything);
    world.settle().await;
    assert_eq!(world.items.len(), 8);
    assert!(world.group.is_empty());
}

#[tokio::test]
async fn a_run_whose_step_was_parked_is_taken_over_and_its_step_then_does_nothing() {
    let mut world = World::new();
    world.start(Asker::Schedule, Beginning::LastEnd);
    world.handle().await.unwrap();
    world.handle().await.unwrap();
    let parked = world.park().unwrap();
    world.bench.clock.advance(Duration::from_mins(15));
    world.start(Asker::Schedule, Beginning::LastEnd);
    world.settle().await;
    assert_eq!(world.items.len(), 5, "the first step, and the four of the other run");
    assert_eq!(world.state().run, None);
    world.group.push_back(parked);
    world.settle().await;
    assert_eq!(world.items.len(), 5);
    assert!(world.notes().last().unwrap().ends_with("has ended, or another has taken its place"));
}

#[tokio::test]
async fn a_run_has_the_id_that_was_asked_for_however_many_stood_still_before_it() {
    let mut world = World::new();
    for _ in 0..100 {
        world.start(Asker::Schedule, Beginning::LastEnd);
        let asked = Message::parse(&world.group[0].body).unwrap().id;
        while world.state().run.is_none_or(|run| run.id != asked) {
            world.handle().await.unwrap();
        }
        world.bench.clock.advance(Duration::from_mins(15));
        world.group.clear(); // its first step is parked
    }
    world.start(Asker::Person, Beginning::LastEnd);
    world.settle().await;
    assert_eq!((world.items.len(), world.state().run), (4, None));
}

#[tokio::test]
async fn a_state_that_parameter_store_does_not_show_yet_ends_no_run() {
    for before in [None, Some("startedAt: 2026-11-20T08:00:00Z")] {
        let mut world = World::new();
        if let Some(state) = before {
            world.bench.jobs.put("count", state);
        }
        world.start(Asker::Schedule, Beginning::LastEnd);
        world.handle().await.unwrap();
        let written = world.bench.jobs.text("count").unwrap();
        world.bench.jobs.put("count", before.unwrap_or("{}"));
        let error = world.handle().await.unwrap_err();
        assert!(error.to_string().contains("does not show the run yet"), "{error}");
        world.bench.jobs.put("count", &written);
        world.settle().await;
        assert_eq!(world.items.len(), 4);
    }
}

#[tokio::test]
async fn who_deletes_the_state_ends_the_run_and_its_step_does_not_wait_for_long() {
    let mut world = World::new();
    world.start(Asker::Schedule, Beginning::LastEnd);
    world.handle().await.unwrap();
    world.bench.jobs.put("count", "{}");
    for _ in 0..2 {
        world.handle().await.unwrap_err();
    }
    world.handle().await.unwrap();
    assert!(world.group.is_empty() && world.items.is_empty());
}

#[tokio::test]
async fn a_begin_that_is_yet_to_come_keeps_no_run_back() {
    let mut world = World::new();
    world.bench.jobs.put("count", "startedAt: 2062-11-20T08:30:00Z");
    world.start(Asker::Schedule, Beginning::LastEnd);
    world.settle().await;
    assert_eq!(world.items.len(), 4);
}

#[tokio::test]
async fn a_window_never_begins_behind_its_end() {
    let mut world = World::new();
    world.bench.jobs.put("count", "lastEndDate: 2062-11-20T08:30:00Z");
    world.start(Asker::Schedule, Beginning::LastEnd);
    world.handle().await.unwrap();
    let window = world.state().run.unwrap().window;
    assert_eq!((window.from, window.to), (Some(world.now() - Duration::from_mins(2)), world.now()));
    world.settle().await;
    assert_eq!(world.state().last_end_date, Some(window.to));
}

#[tokio::test]
async fn a_run_that_begins_later_than_the_last_one_ended_leaves_the_time_between_to_the_next() {
    let mut world = World::new();
    world.bench.jobs.put("count", "lastEndDate: 2026-11-01T00:00:00Z");
    world.start(Asker::Person, Beginning::Since("2026-11-20T00:00:00Z".parse().unwrap()));
    world.settle().await;
    assert_eq!(world.state().last_end_date, "2026-11-01T00:00:00Z".parse().ok());
    insta::assert_snapshot!(world.notes().join("\n"), @"4 done in 4 steps, from 2026-11-20T00:00:00Z to 2026-11-20T08:30:01Z; what is before is left to the next run, from 2026-11-01T00:00:00Z on");
    world.start(Asker::Person, Beginning::Since("2026-11-01T00:00:00Z".parse().unwrap()));
    world.handle().await.unwrap();
    let window = world.state().run.unwrap().window;
    world.settle().await;
    assert_eq!(world.state().last_end_date, Some(window.to), "nothing is between");
}

#[tokio::test]
async fn requests_that_piled_up_are_one() {
    let mut world = World::new();
    for _ in 0..20 {
        world.start(Asker::Schedule, Beginning::LastEnd);
    }
    world.settle().await;
    assert_eq!(world.items.len(), 4);
}

#[tokio::test]
async fn a_step_that_comes_twice_is_taken_once() {
    let mut world = World::new();
    world.start(Asker::Schedule, Beginning::LastEnd);
    world.handle().await.unwrap();
    let first = world.group.front().unwrap().clone();
    world.handle().await.unwrap();
    world.group.push_front(first);
    world.seen.clear();
    world.settle().await;
    assert_eq!(world.items.len(), 4);
}

/// Says that it goes on at a place that fits no message.
struct Boundless;

impl Job for Boundless {
    const NAME: &'static str = "boundless";
    type Cursor = String;

    async fn step(_: &Context<'_>, _: &Step<String>) -> Result<Progress<String>, HandlerError> {
        Ok(Progress::GoOn { cursor: "x".repeat(MAX_MESSAGE_BYTES), done: 1 })
    }
}

#[tokio::test]
async fn a_cursor_that_fits_no_message_parks_the_step_and_does_not_keep_its_group_for_days() {
    let mut world = World::with(&[(Section::Routes, "count", "schedule: manual\nhandler: boundless")]);
    world.start(Asker::Person, Beginning::LastEnd);
    world.handle().await.unwrap();
    let HandlerError::Misconfigured { code: Code::TooLarge, reason } = world.handle().await.unwrap_err()
    else {
        panic!("it will never be smaller")
    };
    let told = "where the job goes on cannot be put on the queue: the message has 10489";
    assert!(reason.starts_with(told) && reason.ends_with(" fit the queue"), "{reason}");
}

#[tokio::test]
async fn what_is_no_job_says_what_to_mend() {
    let mut world = World::new();
    world.bench.jobs.put("count", "lastEndDate: yesterday");
    world.start(Asker::Person, Beginning::LastEnd);
    let HandlerError::Misconfigured { code: Code::Config, reason } = world.handle().await.unwrap_err() else {
        panic!("it cannot know where to begin")
    };
    insta::assert_snapshot!(reason, @r#"jobs/count cannot be read: "lastEndDate" must be a time such as 2026-11-20T08:30:00Z"#);
    let other = testkit::workbench::on_route("count", "Page", &serde_json::json!({"id": "1"}));
    let error = world.bench.handle(&world.handlers, &other).await.unwrap_err();
    insta::assert_snapshot!(error, @"misconfigured: handler count-pages is a job: it takes starts and steps of its own, and this message is neither");
}

/// One thing that happens.
#[derive(Debug, Clone)]
enum Happening {
    Scheduled,
    Asked,
    /// The head is handled, and of the calls that it makes these fail.
    Handled(Vec<bool>),
    /// Nobody could handle the head: it is parked.
    Parked,
    /// SQS's window of deduplication is over.
    Forgotten,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        1 => Just(Happening::Scheduled),
        1 => Just(Happening::Asked),
        12 => proptest::collection::vec(proptest::bool::weighted(0.2), 0..4).prop_map(Happening::Handled),
        1 => Just(Happening::Parked),
        1 => Just(Happening::Forgotten),
    ]
}

async fn happens(world: &mut World, happening: Happening) {
    world.bench.clock.advance(Duration::from_secs(1));
    match happening {
        Happening::Scheduled => world.start(Asker::Schedule, Beginning::LastEnd),
        Happening::Asked => world.start(Asker::Person, Beginning::LastEnd),
        Happening::Handled(_) | Happening::Parked if world.group.is_empty() => {}
        Happening::Handled(failing) => {
            let (store, queue) = failing.split_at(failing.len() / 2);
            world.bench.jobs.fail_next(store.iter().copied());
            world.bench.event_queue.fail_next(queue.iter().copied());
            let _ = world.handle().await;
        }
        Happening::Parked => drop(world.park()),
        Happening::Forgotten => world.seen.clear(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever fails and is lost: the next run that is let alone works through all time since the last one that ended.
    #[test]
    fn whatever_happens_a_run_that_is_let_alone_ends(happenings in proptest::collection::vec(happening(), 0..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new();
            let mut last_end = None;
            for happening in happenings {
                happens(&mut world, happening).await;
                let state = world.state();
                assert!(state.last_end_date >= last_end, "it never goes back");
                last_end = state.last_end_date;
                if let Some(run) = state.run {
                    let begins = run.window.from.map(|from| from + Duration::from_mins(2));
                    assert!(begins <= last_end, "nothing between two runs is left out");
                }
            }
            world.bench.jobs.recover();
            world.bench.event_queue.recover();
            world.settle().await;
            world.bench.clock.advance(Duration::from_mins(15));
            let before = world.now();
            world.start(Asker::Schedule, Beginning::LastEnd);
            world.settle().await;
            let state = world.state();
            assert_eq!(state.run, None);
            assert!(state.last_end_date.is_some_and(|end| end >= before));
        });
    }
}
