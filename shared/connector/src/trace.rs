//! X-Ray's trace header, and its continuation as a W3C `traceparent`.

use std::fmt;
use std::num::NonZeroU64;

use http::HeaderName;

use crate::ports::Chance;

/// The W3C trace context header.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// A trace, as X-Ray writes it: `1-5759e988-bd862e3fe1be46a994272793`. W3C writes the same 128 bits in one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceId {
    /// 32 bits, the second of its first request.
    epoch: NonZeroU64,
    /// 96 bits.
    unique: u128,
}

/// A segment, a subsegment or a span within a trace: 16 hexadecimal digits, never all zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanId(NonZeroU64);

/// What a trace header says: `Root=1-…;Parent=…;Sampled=1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceHeader {
    /// The trace.
    pub trace: TraceId,
    /// The segment that what follows belongs to; `None` where the header names none.
    pub parent: Option<SpanId>,
    /// Whether X-Ray keeps this trace.
    pub sampled: bool,
}

/// The trace id in X-Ray's header, as it stands there.
#[must_use]
pub fn root_of(header: &str) -> &str {
    part(header, "Root=").unwrap_or(header)
}

/// A header that names this trace and no more: what can be made again of `trace.id` in the event log.
#[must_use]
pub fn header_of(root: &str) -> String {
    format!("Root={root}")
}

impl TraceHeader {
    /// Reads a header; `None` where it names no trace.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        Some(Self {
            trace: TraceId::parse(part(header, "Root=")?)?,
            parent: part(header, "Parent=").and_then(|parent| hex(parent, 16)).map(SpanId),
            sampled: part(header, "Sampled=") == Some("1"),
        })
    }

    /// The `traceparent` that continues the trace below this span.
    #[must_use]
    pub fn traceparent(&self, span: SpanId) -> String {
        let TraceId { epoch, unique } = self.trace;
        format!("00-{epoch:08x}{unique:024x}-{span}-{:02x}", u8::from(self.sampled))
    }
}

impl TraceId {
    fn parse(root: &str) -> Option<Self> {
        let (epoch, unique) = root.strip_prefix("1-")?.split_once('-')?;
        let (high, low) = unique.split_at_checked(12).filter(|(_, low)| low.len() == 12)?;
        let unique = u128::from(digits(high)?) << 48 | u128::from(digits(low)?);
        Some(Self { epoch: hex(epoch, 8)?, unique }).filter(|_| unique != 0)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1-{:08x}-{:024x}", self.epoch, self.unique)
    }
}

impl SpanId {
    /// A new one; unique enough within a trace, which holds a few dozen.
    #[must_use]
    pub fn drawn(chance: &Chance) -> Self {
        Self(NonZeroU64::new(chance().to_bits()).unwrap_or(NonZeroU64::MIN))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

fn part<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.split(';').find_map(|part| part.trim().strip_prefix(name))
}

/// So many digits, not all zero.
fn hex(text: &str, length: usize) -> Option<NonZeroU64> {
    (text.len() == length).then(|| digits(text)).flatten().and_then(NonZeroU64::new)
}

/// Hexadecimal digits, in lower case as X-Ray and W3C write them.
fn digits(text: &str) -> Option<u64> {
    let lower = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    lower.then(|| u64::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::{SpanId, TraceHeader, root_of};
    use crate::ports::Chance;

    const ROOT: &str = "Root=1-5759e988-bd862e3fe1be46a994272793";

    fn drawn(chance: f64) -> SpanId {
        let chance: Chance = Arc::new(move || chance);
        SpanId::drawn(&chance)
    }

    #[test]
    fn a_header_is_read_and_its_trace_goes_on() {
        let text = format!("{ROOT};Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:0");
        let header = TraceHeader::parse(&text).unwrap();
        assert_eq!(header.trace.to_string(), "1-5759e988-bd862e3fe1be46a994272793");
        assert_eq!(header.trace.to_string(), root_of(&text));
        let parent = header.parent.unwrap();
        assert_eq!(header.traceparent(parent), "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01");
    }

    #[test]
    fn what_a_header_does_not_say_it_does_not_say() {
        for (rest, sampled) in [
            ("", false),
            (";Parent=0000000000000000;Sampled=0", false),
            (";Parent=53995C3F42CD8AD8;Sampled=?", false),
            (";Parent=53995c3f42cd8ad;Sampled=1", true),
        ] {
            let header = TraceHeader::parse(&format!("{ROOT}{rest}")).unwrap();
            assert_eq!((header.parent, header.sampled), (None, sampled), "{rest}");
        }
        let unsampled = TraceHeader::parse(ROOT).unwrap().traceparent(drawn(0.5));
        assert_eq!(unsampled, "00-5759e988bd862e3fe1be46a994272793-3fe0000000000000-00");
        assert_eq!(drawn(0.0).to_string(), "0000000000000001", "a span is never zero");
    }

    #[test]
    fn what_names_no_trace_is_no_header() {
        for header in [
            "",
            "Root=",
            "Root=1-2-3",
            "Self=1-5759e988-bd862e3fe1be46a994272793",
            "Root=1-5759E988-bd862e3fe1be46a994272793",
            "Root=2-5759e988-bd862e3fe1be46a994272793",
            "Root=1-00000000-bd862e3fe1be46a994272793",
            "Root=1-5759e988-000000000000000000000000",
            "Root=1-5759e988-+d862e3fe1be46a994272793",
            "Root=1-5759e988-bd862e3fe1be46a9942727930",
            "Root=1-5759e988-bd862e3fe1bé6a994272793",
        ] {
            assert_eq!(TraceHeader::parse(header), None, "{header}");
        }
    }

    proptest! {
        #[test]
        fn a_trace_is_written_as_it_was_read(epoch in 1..=u32::MAX, unique in 1..1_u128 << 96, parent in 1..=u64::MAX) {
            let text = format!("Root=1-{epoch:08x}-{unique:024x};Parent={parent:016x};Sampled=1");
            let header = TraceHeader::parse(&text).unwrap();
            prop_assert_eq!(header.trace.to_string(), root_of(&text));
            let parent_again = header.parent.unwrap();
            prop_assert_eq!(parent_again.to_string(), format!("{parent:016x}"));
            prop_assert_eq!(
                header.traceparent(parent_again),
                format!("00-{epoch:08x}{unique:024x}-{parent:016x}-01")
            );
        }

        #[test]
        fn no_header_breaks_the_reading(text in ".{0,80}") {
            let _ = TraceHeader::parse(&text);
            let _ = TraceHeader::parse(&format!("Root=1-{text}"));
        }
    }
}
