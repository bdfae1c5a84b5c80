//! Metrics as the text that collectors read. `scan --metrics` and `GET /metrics` both write it here.
//!
//! It is OpenMetrics 1.0: Prometheus reads it by its content type, and the textfile collector of node_exporter takes what
//! the older form does not know (`# UNIT`, `# EOF`) for comments.

use crate::base::error::{Error, Result};
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// What `Content-Type` says of the text.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Names and values that tell one series of a metric from another.
pub type Labels = Vec<(String, String)>;

/// A metric that goes up and down, with labels.
pub type Gauges = Family<Labels, Gauge>;

/// Registers a metric that goes up and down. `about` is a sentence without a full stop.
pub fn gauges(registry: &mut Registry, name: &str, about: &str) -> Gauges {
    let family = Gauges::default();
    registry.register(name, about, family.clone());
    family
}

/// Labels from pairs of name and value.
pub fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// A number as a gauge takes it.
pub fn whole(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// The text of several registries, as one.
pub fn text(registries: &[&Registry]) -> Result<String> {
    let mut text = String::new();
    registries
        .iter()
        .try_for_each(|registry| encode_registry(&mut text, registry))
        .and_then(|()| encode_eof(&mut text))
        .map_err(|error| Error::bug(format!("metrics cannot be written: {error}")))?;
    Ok(text)
}
