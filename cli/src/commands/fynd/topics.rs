//! `fynd topics`: what can be subscribed to.

use clap::Args;
use connector::ports::Clock;
use serde_json::json;

use super::Cluster;
use crate::Verdict;
use crate::fynd::Fynd;
use crate::screen::{Cell, Screen};

#[derive(Debug, Args)]
pub(super) struct Asked {
    #[command(flatten)]
    at: Cluster,
}

pub(super) async fn run(asked: &Asked, clock: Clock, screen: &mut Screen) -> anyhow::Result<Verdict> {
    let topics = Fynd::at(&asked.at.cluster, clock)?.topics().await?;
    if screen.is_json() {
        let told =
            |topic: &crate::fynd::Topic| json!({ "message": topic.name(), "description": topic.description });
        screen.json(&topics.iter().map(told).collect::<Vec<_>>())?;
    } else {
        let row = |topic: &crate::fynd::Topic| {
            vec![Cell::plain(topic.name()), Cell::plain(topic.description.as_deref().unwrap_or_default())]
        };
        screen.table(&["MESSAGE", "DESCRIPTION"], topics.iter().map(row).collect())?;
    }
    Ok(Verdict::Fine)
}
