//! What came of one attempt: delivered, worth another try, or refused for good. The one classification.

use crate::failure::Code;

/// What came of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has it: 2xx.
    Delivered,
    /// Of a call that delivers nothing, such as one for a token: it got what it asked for.
    Answered,
    /// Of such a call: its access token may only have ended early, so that it is made again at once with a new one.
    Repeat(Code),
    /// The next attempt may succeed.
    Retry(Code),
    /// No attempt will succeed as things stand.
    Refused(Code),
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAnswer {
    /// No answer within the timeout.
    Timeout,
    /// The name does not resolve.
    Dns,
    /// No TCP connection.
    Connect,
    /// No TLS session.
    Tls,
    /// The answer is not HTTP, or broke off before its head was read.
    Response,
    /// The scheme, port or address is not one that may be sent to.
    BlockedAddress,
    /// The request cannot be written as asked.
    Request,
}

impl NoAnswer {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::Timeout => Code::Timeout,
            Self::Dns => Code::Dns,
            Self::Connect => Code::Connect,
            Self::Tls => Code::Tls,
            Self::Response => Code::Response,
            Self::BlockedAddress => Code::BlockedAddress,
            Self::Request => Code::Request,
        }
    }
}

impl Outcome {
    /// Of an answer with this HTTP status.
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Delivered,
            300..=399 => Self::Refused(Code::Redirect),
            408 | 425 | 429 => Self::Retry(Code::Busy),
            410 => Self::Refused(Code::Gone),
            500..=599 => Self::Retry(Code::Server),
            0..=199 | 400..=407 | 409 | 411..=424 | 426..=428 | 430..=499 | 600..=u16::MAX => {
                Self::Refused(Code::Rejected)
            }
        }
    }

    /// Of no answer.
    #[must_use]
    pub fn of_no_answer(cause: NoAnswer) -> Self {
        match cause {
            NoAnswer::Timeout | NoAnswer::Dns | NoAnswer::Connect | NoAnswer::Tls | NoAnswer::Response => {
                Self::Retry(cause.code())
            }
            NoAnswer::BlockedAddress | NoAnswer::Request => Self::Refused(cause.code()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::NoAnswer;
    use super::Outcome::{self, Delivered, Refused, Retry};
    use crate::failure::Code;

    #[test]
    fn every_status_has_its_outcome() {
        let mut runs: Vec<(u16, Outcome)> = Vec::new();
        for status in 0..=u16::MAX {
            let outcome = Outcome::of_status(status);
            if runs.last().is_none_or(|(_, last)| *last != outcome) {
                runs.push((status, outcome));
            }
        }
        assert_eq!(
            runs,
            [
                (0, Refused(Code::Rejected)),
                (200, Delivered),
                (300, Refused(Code::Redirect)),
                (400, Refused(Code::Rejected)),
                (408, Retry(Code::Busy)),
                (409, Refused(Code::Rejected)),
                (410, Refused(Code::Gone)),
                (411, Refused(Code::Rejected)),
                (425, Retry(Code::Busy)),
                (426, Refused(Code::Rejected)),
                (429, Retry(Code::Busy)),
                (430, Refused(Code::Rejected)),
                (500, Retry(Code::Server)),
                (600, Refused(Code::Rejected)),
            ]
        );
    }

    #[test]
    fn a_receiver_that_cannot_be_reached_is_tried_again_and_a_forbidden_one_is_not() {
        use NoAnswer::{BlockedAddress, Connect, Dns, Request, Response, Timeout, Tls};
        for cause in [Timeout, Dns, Connect, Tls, Response] {
            assert_eq!(Outcome::of_no_answer(cause), Outcome::Retry(cause.code()));
        }
        for cause in [BlockedAddress, Request] {
            assert_eq!(Outcome::of_no_answer(cause), Outcome::Refused(cause.code()));
        }
    }
}
