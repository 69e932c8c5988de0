//! The sources whose systems sign the samples `events/external-*.json`, with secrets for development alone.

/// Name and document of each.
pub const DEVELOPMENT: [(&str, &str); 3] = [
    ("fynd", include_str!("../sources/fynd.yaml")),
    ("github", include_str!("../sources/github.yaml")),
    ("partner", include_str!("../sources/partner.yaml")),
];
