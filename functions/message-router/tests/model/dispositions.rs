//! Random records and random failures: exactly one disposition each, order kept.

use std::collections::{BTreeMap, BTreeSet};

use connector::outcome::NoAnswer;
use proptest::prelude::*;
use testkit::fakes::FakeQueue;

use crate::kinds::{KINDS, Kind, body};
use crate::support::{World, record};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn each_record_has_one_disposition_and_groups_keep_their_order(
        shape in prop::collection::vec((prop::sample::select(&KINDS[..]), 0..3_usize, 1..6_u32), 0..12),
        answers in prop::collection::vec(prop_oneof![3 => Just(Ok(200)), 1 => Just(Ok(503)), 1 => Just(Ok(404)), 1 => Just(Err(NoAnswer::Dns))], 0..12),
        event_queue_fails in prop::collection::vec(prop::bool::weighted(0.2), 0..12),
        undelivered_fails in prop::collection::vec(prop::bool::weighted(0.3), 0..6),
        dead_letters_fail in prop::collection::vec(prop::bool::weighted(0.3), 0..6),
        unreadable in prop::bool::weighted(0.1),
    ) {
        let world = World::new();
        world.transport.answer_next(answers);
        world.event_queue.fail_next(event_queue_fails);
        world.undelivered.fail_next(undelivered_fails);
        world.dead_letters.fail_next(dead_letters_fail);
        world.configuration.set_unreadable(unreadable);
        let records: Vec<_> = shape.iter().enumerate()
            .map(|(i, (kind, group, attempt))| record(&format!("m{i}"), &format!("g{group}"), body(*kind, &format!("m{i}")), *attempt))
            .collect();

        let kept = world.route(&records);

        let kept_set: BTreeSet<_> = kept.iter().cloned().collect();
        prop_assert_eq!(kept_set.len(), kept.len(), "a record is reported once");
        let ids = |queue: &FakeQueue| queue.sent().iter().map(|sent| sent.deduplication.clone()).collect::<Vec<_>>();
        let (parked, dead) = (ids(&world.undelivered), ids(&world.dead_letters));
        let (sent, posted) = (world.event_queue.sent(), world.delivered());
        let mut stopped: BTreeMap<&str, bool> = BTreeMap::new();
        for ((kind, _, _), record) in shape.iter().zip(&records) {
            let untouched = *stopped.entry(&record.group).or_default();
            let is_kept = kept_set.contains(&record.id);
            let ends = usize::from(is_kept) + parked.iter().chain(&dead).filter(|id| **id == record.id).count();
            let parked_copies = world.undelivered.sent().into_iter().filter(|copy| copy.deduplication.starts_with("fluent/"));
            let all_copies = sent.iter().cloned().chain(parked_copies);
            let copies = all_copies.filter(|copy| copy.body.contains(&format!("\"id\":\"{}\"", record.id))).count();
            let attempts = posted.iter().filter(|id| **id == record.id).count();
            if untouched {
                prop_assert!(is_kept && ends == 1 && copies == 0 && attempts == 0, "{:?} was touched", record);
                continue;
            }
            match kind {
                Kind::Deliver => prop_assert!(ends <= 1 && (ends == 1 || attempts == 1)),
                Kind::Dispatch => prop_assert!(ends <= 1 && (ends == 1 || copies == 1)),
                Kind::DispatchToTwo => prop_assert!(ends <= 1 && (ends == 1 || copies == 2)),
                Kind::Panic | Kind::Unrouted | Kind::RouteGone | Kind::Misconfigured | Kind::UnknownHandler
                | Kind::Paused | Kind::Malformed | Kind::UnknownVersion | Kind::EmptyId => prop_assert_eq!(ends, 1),
            }
            stopped.insert(&record.group, is_kept);
        }
        prop_assert_eq!(world.log.flushed(), world.log.entries().len(), "all is flushed before the answer");
        prop_assert_eq!(world.log.types().iter().filter(|kind| *kind == "outbound.attempt").count(), posted.len());
    }
}
