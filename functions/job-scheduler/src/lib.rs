//! Starts jobs: those that the clock says are due, and those that somebody asks for; it does none of their work.
//!
//! [`request`] is what the function is asked, [`scheduler`] answers it, [`due`] is what the clock starts, [`job`] is a job
//! as people see it, [`answer`] is what they read, [`settings`] is the environment.
//!
//! # Once a minute
//! A start is a message on the event queue, and its id is the route and the minute: a tick that comes twice, or is
//! repeated because not every message was confirmed, starts nothing twice. Of routes it reads what stands under `routes/`
//! alone, so that a broken endpoint or account is nothing to it, and a broken route harms no other.
//!
//! What a tick that never came would have started is caught up by a later one, within an hour: a start was missed where
//! nothing was written of its job since it was due. What was under way then needs no start, and what stands still gets one,
//! as it would have.

pub mod answer;
pub mod due;
pub mod job;
pub mod request;
pub mod scheduler;
pub mod settings;
