//! The function's own log: standard output, which Lambda keeps line by line.

use std::error::Error;
use std::io::Write as _;

use connector::event_log::Entry;
use connector::failure::chain;
use connector::metrics::measured;
use connector::ports::Console;

/// Writes each entry as one line, in one write.
#[derive(Debug, Clone)]
pub struct Stdout {
    stack: String,
}

impl Stdout {
    /// The log of a function of this stack, by which the metrics of its entries are told apart.
    #[must_use]
    pub fn new(stack: impl Into<String>) -> Self {
        Self { stack: stack.into() }
    }
}

impl Console for Stdout {
    fn write(&self, entry: &Entry) {
        let line = measured(entry.clone(), &self.stack).line() + "\n";
        // There is nowhere left to say that standard output is gone.
        let _ = std::io::stdout().lock().write_all(line.as_bytes());
    }
}

/// Says on standard error, in one line, why a function cannot start; Lambda shows it with the failed INIT.
pub(crate) fn init_failed(error: &(dyn Error + 'static)) {
    let line = format!("the function cannot start: {}\n", chain(error));
    // There is nowhere left to say that standard error is gone.
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}
