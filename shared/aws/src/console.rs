//! The function's own log: standard output, which Lambda keeps line by line.

use std::error::Error;
use std::io::Write as _;

use connector::event_log::Entry;
use connector::failure::chain;
use connector::ports::Console;

/// Writes each entry as one line, in one write.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stdout;

impl Console for Stdout {
    fn write(&self, entry: &Entry) {
        let line = entry.line() + "\n";
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
