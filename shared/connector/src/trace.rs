//! X-Ray's trace header, and its continuation as a W3C `traceparent`.

use http::HeaderName;

/// The W3C trace context header.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The trace id in X-Ray's header: `Root=1-…;Parent=…;Sampled=1`.
#[must_use]
pub fn root_of(header: &str) -> &str {
    part(header, "Root=").unwrap_or(header)
}

/// The `traceparent` that continues X-Ray's trace (`Root=1-5759e988-bd86…` is trace id `5759e988bd86…`).
///
/// `None` where the header names no trace. Where it names no parent, a span of its own is made of `span`.
#[must_use]
pub fn traceparent(header: &str, span: u64) -> Option<String> {
    let mut root = part(header, "Root=")?.splitn(3, '-');
    let (version, epoch, unique) = (root.next()?, root.next()?, root.next()?);
    if version != "1" || !is_hex(epoch, 8) || !is_hex(unique, 24) {
        return None;
    }
    let parent = part(header, "Parent=").filter(|parent| is_hex(parent, 16)).map(str::to_owned);
    let parent = parent.unwrap_or_else(|| format!("{:016x}", span.max(1)));
    let flags = if part(header, "Sampled=") == Some("1") { "01" } else { "00" };
    Some(format!("00-{epoch}{unique}-{parent}-{flags}"))
}

fn part<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.split(';').find_map(|part| part.trim().strip_prefix(name))
}

fn is_hex(text: &str, digits: usize) -> bool {
    let lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == digits && text.bytes().all(lower_hex) && text.bytes().any(|byte| byte != b'0')
}

#[cfg(test)]
mod tests {
    use super::{root_of, traceparent};

    const ROOT: &str = "Root=1-5759e988-bd862e3fe1be46a994272793";

    #[test]
    fn the_trace_goes_on() {
        let header = format!("{ROOT};Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:0");
        assert_eq!(
            traceparent(&header, 7).unwrap(),
            "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"
        );
        assert_eq!(root_of(&header), "1-5759e988-bd862e3fe1be46a994272793");
    }

    #[test]
    fn without_a_parent_a_span_is_made() {
        for header in [ROOT.to_owned(), format!("{ROOT};Parent=0000000000000000;Sampled=0")] {
            assert_eq!(
                traceparent(&header, 255).unwrap(),
                "00-5759e988bd862e3fe1be46a994272793-00000000000000ff-00"
            );
        }
        assert!(traceparent(ROOT, 0).unwrap().contains("-0000000000000001-"), "a span is never zero");
    }

    #[test]
    fn what_names_no_trace_is_not_continued() {
        for header in [
            "",
            "Root=",
            "Root=1-2-3",
            "Self=1-5759e988-bd862e3fe1be46a994272793",
            "Root=1-5759E988-bd862e3fe1be46a994272793",
        ] {
            assert_eq!(traceparent(header, 1), None, "{header}");
        }
    }
}
