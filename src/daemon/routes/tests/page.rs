//! docs/openapi.yaml and the routes.

use std::collections::BTreeSet;

/// The paths of the page with their methods, by the columns in which they stand.
fn told(page: &str) -> BTreeSet<(&str, String)> {
    let paths = page.lines().skip_while(|line| *line != "paths:").skip(1);
    let mut told = BTreeSet::new();
    let mut path = "";
    for line in paths.take_while(|line| line.starts_with(' ') || line.is_empty()) {
        let word = line.trim_start();
        let Some(name) = word.strip_suffix(':') else {
            continue;
        };
        match line.len() - word.len() {
            2 => path = name,
            4 if name != "parameters" => {
                told.insert((path, name.to_uppercase()));
            }
            _ => {}
        }
    }
    told
}

#[test]
fn the_page_names_every_route_and_no_other() {
    let routes = super::ROUTES.iter();
    let routed: BTreeSet<(&str, String)> = routes
        .map(|route| (route.path, String::from(route.method.word())))
        .collect();
    let page = include_str!("../../../../docs/openapi.yaml");
    assert_eq!(told(page), routed);
}

#[test]
fn no_two_routes_are_the_same() {
    for (at, route) in super::ROUTES.iter().enumerate() {
        for other in super::ROUTES.iter().skip(at + 1) {
            let is_same = route.path == other.path && route.method == other.method;
            assert!(!is_same, "{} {}", route.method.word(), route.path);
        }
    }
}
