//! `doctor`: looks a deployed stack over, and says what to do. Changes nothing; of webhooks it sends one, of a
//! source that does not exist.

use clap::Args;
use connector::ports::Clock;

use crate::Verdict;
use crate::arguments::Shared;
use crate::diagnosis::State;
use crate::examination::Examination;
use crate::screen::{Cell, Screen, Tone};
use crate::session::Session;
use crate::stack::Stack;

#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// Name of a deployed stack
    #[arg(long)]
    stack: String,
}

pub(crate) async fn run(
    asked: &Asked,
    shared: &Shared,
    clock: &Clock,
    screen: &mut Screen,
) -> anyhow::Result<Verdict> {
    let session = Session::open(shared).await?;
    let before = clock();
    let stack = Stack::find(&session, &asked.stack).await?;
    let results = Examination { session: &session, stack: &stack, clock, before, after: clock() }.run().await;
    let failed = results.iter().filter(|result| result.state == State::Fail).count();
    let doubtful = results.iter().filter(|result| result.state == State::Warn).count();
    if screen.is_json() {
        screen.json(&serde_json::json!({ "stack": stack.name, "failed": failed, "warnings": doubtful, "checks": results }))?;
    } else {
        let rows = results.iter().map(|result| {
            let tone = match result.state {
                State::Ok => Tone::Good,
                State::Warn => Tone::Doubtful,
                State::Fail => Tone::Bad,
            };
            vec![
                Cell::new(result.state.as_str(), tone),
                Cell::plain(&result.what),
                Cell::plain(&result.found),
                Cell::plain(&result.todo),
            ]
        });
        screen.table(&["", "WHAT", "FOUND", "WHAT TO DO"], rows.collect())?;
        screen.line(&format!("{} checks, {failed} failed, {doubtful} doubtful", results.len()))?;
    }
    Ok(Verdict::wrong_if(failed > 0))
}
