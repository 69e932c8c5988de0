//! A batch: groups side by side, the records of a group in order.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use crate::record::Record;
use crate::router::{Invocation, Router};
use crate::settle::Settled;

impl Router {
    /// Routes a batch and stores its event log; the ids of the records that SQS has to keep.
    ///
    /// After a record that stays in the queue, the later records of its group are kept untouched.
    pub async fn route(&self, records: Vec<Record>, invocation: &Invocation) -> Vec<String> {
        let groups = in_groups(records);
        let kept = join_all(groups.iter().map(|group| self.route_group(group, invocation))).await;
        self.sender.event_log.flush().await;
        kept.into_iter().flatten().collect()
    }

    async fn route_group(&self, records: &[Record], invocation: &Invocation) -> Vec<String> {
        for (done, record) in records.iter().enumerate() {
            let decision = self.decide(record, invocation).await.within_stay(record, self.now());
            match self.settle(record, &decision, invocation).await {
                Settled::Done => {}
                Settled::Kept => return records.iter().skip(done).map(|record| record.id.clone()).collect(),
            }
        }
        Vec::new()
    }
}

/// Records by group, each group in the order of the batch.
fn in_groups(records: Vec<Record>) -> Vec<Vec<Record>> {
    let mut groups: BTreeMap<String, Vec<Record>> = BTreeMap::new();
    for record in records {
        groups.entry(record.group.clone()).or_default().push(record);
    }
    groups.into_values().collect()
}
