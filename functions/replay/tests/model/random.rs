//! Random messages, filters, failures and deaths.

use std::time::Duration;

use connector::undelivered::Received;
use jiff::Timestamp;
use proptest::prelude::*;
use replay::candidate::Candidate;
use replay::filter::{Filter, Match};
use replay::request::Request;
use serde_json::{Value, json};
use testkit::fifo::Fault;

use crate::support::{Parked, World, all, id, ids};

fn parked() -> impl Strategy<Value = Parked> {
    let endpoint = prop_oneof![4 => Just(0_u8), 1 => Just(1_u8)];
    let entity = prop_oneof![4 => Just(0_u8), 1 => Just(1_u8)];
    (0..3_u8, endpoint, 0..2_u8, entity, 0..3_u8, prop::bool::weighted(0.8)).prop_map(
        |(group, endpoint, name, entity, reason, stated)| Parked {
            group,
            endpoint,
            name,
            entity,
            reason,
            stated,
        },
    )
}

fn input() -> impl Strategy<Value = Value> {
    let maybe = || prop::bool::weighted(0.3);
    let time = || prop::option::weighted(0.2, 0..60_u64);
    ((maybe(), maybe(), maybe(), maybe()), time(), time(), prop::option::of(1..30_u64), 1..100_u64).prop_map(
        |((endpoint, name, entity, reason), from, to, limit, rate)| {
            let start: Timestamp = "2026-11-20T08:30:00Z".parse().unwrap();
            let at = |seconds: u64| start.checked_add(Duration::from_secs(seconds)).unwrap().to_string();
            let (from, to) = match (from, to) {
                (Some(from), Some(to)) => (Some(from.min(to)), Some(from.max(to))),
                times => times,
            };
            json!({
                "endpoint": endpoint.then_some("e0"), "name": name.then_some("N0"), "entityRef": entity.then_some("E0"),
                "reason": reason.then_some("paused"), "from": from.map(at), "to": to.map(at),
                "limit": limit, "ratePerSecond": rate, "dryRun": false
            })
        },
    )
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        12 => Just(Fault::None), 2 => Just(Fault::Refused), 2 => Just(Fault::Lost),
        1 => Just(Fault::Death), 1 => Just(Fault::DeathAfter),
    ]
}

fn failure() -> impl Strategy<Value = Fault> {
    prop_oneof![4 => Just(Fault::None), 1 => Just(Fault::Refused)]
}

fn meant(messages: &[Received], filter: &Filter) -> Vec<String> {
    let meant = |message: &&Received| filter.matches(&Candidate::of((*message).clone())) == Match::Yes;
    messages.iter().filter(meant).map(id).collect()
}

fn in_time(future: impl Future<Output = Result<(), TestCaseError>>) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn whatever_fails_nothing_is_lost_and_nothing_that_is_meant_stays(
        messages in prop::collection::vec(parked(), 0..50),
        input in input(),
        faults in prop::collection::vec(fault(), 0..60),
        sends in prop::collection::vec(fault(), 0..20),
    ) {
        in_time(async {
            let mut world = World::new();
            world.park_all(&messages);
            let given = all(&world.undelivered.contents());
            let filter = Request::parse(&input, world.now()).unwrap().filter;
            world.faults.next(faults);
            world.sends.next(sends);
            world.run_to_the_end(&input).await;
            let mut found = all(&world.undelivered.contents());
            prop_assert_eq!(meant(&world.undelivered.contents(), &filter), Vec::<String>::new());
            found.extend(all(&world.events.contents()));
            found.sort();
            found.dedup();
            prop_assert_eq!(found, given);
            Ok(())
        })?;
    }

    #[test]
    fn while_nobody_dies_each_message_ends_once_and_each_group_keeps_its_order(
        messages in prop::collection::vec(parked(), 0..60),
        input in input(),
        sends in prop::collection::vec(failure(), 0..20),
    ) {
        in_time(async {
            let mut world = World::new();
            world.park_all(&messages);
            let before = world.undelivered.contents();
            let filter = Request::parse(&input, world.now()).unwrap().filter;
            let expected = meant(&before, &filter);
            world.sends.next(sends);
            world.run_to_the_end(&input).await;
            let (left, taken) = (world.undelivered.contents(), world.events.contents());
            prop_assert!(ids(&left).values().all(|ids| ids.is_sorted()), "left {:?}", ids(&left));
            prop_assert!(ids(&taken).values().all(|ids| ids.is_sorted()), "taken {:?}", ids(&taken));
            let mut expected = expected;
            expected.sort();
            prop_assert_eq!(all(&taken), expected);
            let mut found = all(&left);
            found.extend(all(&taken));
            found.sort();
            prop_assert_eq!(found, all(&before));
            let recorded = world.log.types().iter().filter(|kind| *kind == "message.replayed").count();
            prop_assert_eq!(recorded, taken.len());
            Ok(())
        })?;
    }

    #[test]
    fn a_dry_run_moves_nothing_and_gives_everything_back(
        messages in prop::collection::vec(parked(), 0..40),
        input in input(),
    ) {
        in_time(async {
            let mut world = World::new();
            world.park_all(&messages);
            let before = all(&world.undelivered.contents());
            let mut input = input;
            input["dryRun"] = json!(null);
            let report = world.run(&input).await.unwrap();
            prop_assert_eq!(all(&world.undelivered.contents()), before);
            prop_assert_eq!(world.undelivered.hidden(), 0);
            prop_assert_eq!(world.events.contents().len() + world.log.entries().len(), 0);
            prop_assert!(report.dry_run && report.moved == 0 && report.next.starts_with("noth"));
            Ok(())
        })?;
    }

    #[test]
    fn the_limit_is_kept(messages in prop::collection::vec(parked(), 0..40), limit in 1..20_u64) {
        in_time(async {
            let mut world = World::new();
            world.park_all(&messages);
            let matching = world.undelivered.contents().len() as u64;
            let report = world.run(&json!({"dryRun": false, "limit": limit})).await.unwrap();
            prop_assert_eq!(report.moved, matching.min(limit));
            prop_assert_eq!(world.events.contents().len() as u64, matching.min(limit));
            prop_assert_eq!(world.undelivered.hidden(), 0);
            Ok(())
        })?;
    }
}
