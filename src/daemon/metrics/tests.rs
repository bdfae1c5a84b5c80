use super::*;
use std::collections::HashMap;

fn snapshot() -> Snapshot {
    Snapshot {
        now: 65_500,
        cells: vec![("active", 2), ("unreadable", 1)],
        healthy: 5,
        degraded: 1,
        unhealthy: 3,
        unknown: 0,
        unhealthy_in: vec![(String::from("2f1c9a4e"), 2), (String::from("a\"b\\"), 1)],
        holds: 1,
        stories: 4,
    }
}

/// Reads the text as OpenMetrics 1.0 has it, line by line, and gives each sample by its name and labels.
fn parsed(text: &str) -> HashMap<String, f64> {
    assert!(text.ends_with("\n# EOF\n"), "{text}");
    let mut samples = HashMap::new();
    let mut kinds: HashMap<&str, &str> = HashMap::new();
    let mut family = "";
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.splitn(3, ' ');
            match (words.next(), words.next(), words.next()) {
                (Some("EOF"), None, None) => family = "",
                (Some("HELP"), Some(name), Some(about)) => {
                    assert!(about.ends_with('.') && !kinds.contains_key(name), "{line}");
                    family = name;
                }
                (Some("TYPE"), Some(name), Some(kind)) => {
                    assert!(["counter", "gauge", "histogram"].contains(&kind));
                    assert_eq!(name, family, "{line}");
                    kinds.insert(name, kind);
                }
                (Some("UNIT"), Some(name), Some(unit)) => {
                    assert!(
                        name == family && name.ends_with(&format!("_{unit}")),
                        "{line}"
                    );
                }
                _ => panic!("{line}"),
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
        let (name, labels) = match series.split_once('{') {
            Some((name, labels)) => (name, labels.strip_suffix('}').expect("a brace")),
            None => (series, ""),
        };
        let suffix = name
            .strip_prefix(family)
            .unwrap_or_else(|| panic!("{line} stands under {family}"));
        let allowed: &[&str] = match kinds[family] {
            "counter" => &["_total"],
            "histogram" => &["_bucket", "_sum", "_count"],
            _ => &[""],
        };
        assert!(allowed.contains(&suffix), "{line}");
        check_labels(labels);
        let value: f64 = value.parse().unwrap_or_else(|_| panic!("{line}"));
        assert!(
            samples.insert(series.to_owned(), value).is_none(),
            "{line} twice"
        );
    }
    samples
}

/// `name="value",…`, where a value has no quote, backslash or line end that is not escaped.
fn check_labels(mut rest: &str) {
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"").expect("a name");
        assert!(
            name.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        );
        let mut letters = after.char_indices();
        let end = loop {
            match letters.next().expect("a quote at the end") {
                (_, '\\') => {
                    let (_, escaped) = letters.next().expect("what is escaped");
                    assert!(['\\', '"', 'n'].contains(&escaped));
                }
                (at, '"') => break at,
                _ => {}
            }
        };
        rest = &after[end + 1..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
}

#[test]
fn a_collector_can_read_it_before_anything_happened() {
    let samples = parsed(&Metrics::new(0).render(&Snapshot::default()).unwrap());
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        samples[&format!("mcell_build_info{{version=\"{version}\"}}")],
        1.0
    );
    // Every series that an alert may ask for is there, at nought.
    for series in [
        "mcell_beats_total{result=\"accepted\"}",
        "mcell_beats_total{result=\"refused\"}",
        "mcell_failures_reported_total",
        "mcell_probe_seconds_count{outcome=\"failed\"}",
        "mcell_sweep_seconds_count",
        "mcell_http_connections",
        "mcell_http_requests_total{class=\"5xx\"}",
        "mcell_story_deliveries_total{way=\"webhook\",outcome=\"given_up\"}",
        "mcell_agents_by_health{state=\"unhealthy\"}",
        "mcell_holds",
        "mcell_last_sweep_age_seconds",
    ] {
        assert_eq!(samples.get(series), Some(&0.0), "{series}");
    }
}

#[test]
fn counters_rise_with_what_happens() {
    let metrics = Metrics::new(500);
    metrics.beat_accepted();
    metrics.beat_accepted();
    metrics.beat_refused();
    metrics.failure_reported();
    metrics.probe(Probed::Good, Duration::from_millis(3));
    metrics.probe(Probed::Good, Duration::from_millis(300));
    metrics.probe(Probed::Failed, Duration::from_secs(5));
    metrics.sweep(Duration::from_millis(20), 60_000);
    metrics.connection_opened();
    metrics.connection_opened();
    metrics.connection_closed();
    for status in [200, 204, 404, 503, 0, 999] {
        metrics.request(status);
    }
    metrics.story(Way::Webhook, Told::Retried);
    metrics.story(Way::Webhook, Told::Delivered);
    metrics.story(Way::Command, Told::GivenUp);
    let samples = parsed(&metrics.render(&snapshot()).unwrap());
    for (series, value) in [
        ("mcell_beats_total{result=\"accepted\"}", 2.0),
        ("mcell_beats_total{result=\"refused\"}", 1.0),
        ("mcell_failures_reported_total", 1.0),
        (
            "mcell_probe_seconds_bucket{le=\"0.002\",outcome=\"good\"}",
            0.0,
        ),
        (
            "mcell_probe_seconds_bucket{le=\"0.005\",outcome=\"good\"}",
            1.0,
        ),
        (
            "mcell_probe_seconds_bucket{le=\"+Inf\",outcome=\"good\"}",
            2.0,
        ),
        ("mcell_probe_seconds_sum{outcome=\"failed\"}", 5.0),
        ("mcell_probe_seconds_count{outcome=\"degraded\"}", 0.0),
        ("mcell_sweep_seconds_count", 1.0),
        ("mcell_last_sweep_age_seconds", 5.5),
        ("mcell_http_connections", 1.0),
        ("mcell_http_requests_total{class=\"2xx\"}", 2.0),
        ("mcell_http_requests_total{class=\"4xx\"}", 1.0),
        ("mcell_http_requests_total{class=\"5xx\"}", 1.0),
        (
            "mcell_story_deliveries_total{way=\"webhook\",outcome=\"delivered\"}",
            1.0,
        ),
        (
            "mcell_story_deliveries_total{way=\"webhook\",outcome=\"retried\"}",
            1.0,
        ),
        (
            "mcell_story_deliveries_total{way=\"command\",outcome=\"given_up\"}",
            1.0,
        ),
        ("mcell_cells{status=\"active\"}", 2.0),
        ("mcell_cells{status=\"unreadable\"}", 1.0),
        ("mcell_agents_by_health{state=\"healthy\"}", 5.0),
        ("mcell_agents_by_health{state=\"unhealthy\"}", 3.0),
        ("mcell_cell_agents_unhealthy{cell=\"2f1c9a4e\"}", 2.0),
        ("mcell_cell_agents_unhealthy{cell=\"a\\\"b\\\\\"}", 1.0),
        ("mcell_cells_left_out", 0.0),
        ("mcell_holds", 1.0),
        ("mcell_stories_waiting", 4.0),
    ] {
        assert_eq!(samples.get(series), Some(&value), "{series}");
    }
}

#[test]
fn before_the_first_sweep_its_age_is_that_of_the_daemon() {
    let metrics = Metrics::new(60_000);
    let samples = parsed(&metrics.render(&snapshot()).unwrap());
    assert_eq!(samples["mcell_last_sweep_age_seconds"], 5.5);
}

#[test]
fn ten_thousand_sick_cells_do_not_make_ten_thousand_series() {
    let sick = Snapshot {
        unhealthy_in: (0..10_000).map(|n| (format!("cell-{n:05}"), 1)).collect(),
        ..Snapshot::default()
    };
    let samples = parsed(&Metrics::new(0).render(&sick).unwrap());
    assert!(samples.len() < MOST_CELLS + 100, "{}", samples.len());
    assert_eq!(samples["mcell_cells_left_out"], 9_000.0);
}
