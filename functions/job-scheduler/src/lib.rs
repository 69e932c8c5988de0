//! Starts jobs: those that the clock says are due, and those that somebody asks for; it does none of their work.
//!
//! [`request`] is what the function is asked, [`scheduler`] answers it, [`job`] is a job as people see it, [`answer`] is
//! what they read, [`settings`] is the environment.
//!
//! # Once a minute
//! A start is a message on the event queue, and its id is the route and the minute: a tick that comes twice, or is
//! repeated because not every message was confirmed, starts nothing twice. Of routes it reads what stands under `routes/`
//! alone, so that a broken endpoint or account is nothing to it, and a broken route harms no other.

pub mod answer;
pub mod job;
pub mod request;
pub mod scheduler;
pub mod settings;
