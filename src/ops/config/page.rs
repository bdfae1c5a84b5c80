//! docs/config.md, from the table.

use super::keys::{KEYS, Key, Sort};

const TOP: &str = "\
# Config

<!-- Made from the table in src/ops/config/keys.rs: change it there, then run
     `MCELL_BLESS=1 cargo test --lib docs_config`. -->

One JSON file says what the daemon runs by, and where missions lie. Everything in
it may be absent; so may the file.

    mcell daemon config --create      # writes it whole, with the defaults
    mcell daemon config --check       # says everything that is wrong with it
    mcell daemon config               # what counts, and where each value comes from

## Which file

1. `--config FILE`, with `mcell daemon`;
2. else `MCELL_CONFIG`;
3. else `~/.lazarus/config.json`;
4. else `/etc/lazarus/config.json`.

Only one is read: they are not put together. A file that is named and is not
there is an error; without a name and without a file the defaults count.

In every path `~` is the home of who runs mcell, and a relative path starts at the
working directory. A daemon under systemd has no home and its own working
directory: give it whole paths.

## What is an error

A value of the wrong type, or out of its range, is an error with its line and
column, and so is a key that stands twice: the daemon does not start, and a running
one that is asked to read its config again keeps the old one. No default steps in.
A key that means nothing is a warning that names the nearest one.

Other commands read `missions_path`, `templates` and `host` alone, and stumble over
nothing else.

## Keys

Times are whole seconds. The first seven are the fleet's.
";

const BOTTOM: &str = r#"
`timeout` must be at least `health.interval`, or agents would be dead before their
next beat is due. What an agent's own `health` says goes before `health` here; its
grace is never longer than 120 seconds.

## Gateways

An agent names its gateway by a URL, by `host:port`, by `unix:PATH`, or by a name.
Names are looked up here.

The fleet's form is a list of names. They have no address: agents that name them
are not probed.

    "gateways": ["gateway_1", "gateway_2"]

Ours is an object:

    "gateways": {
      "gateway_1": {"url": "http://127.0.0.1:8642"},
      "gateway_2": {
        "url": "http://127.0.0.1:8643",
        "token_file": "~/.lazarus/gateway_2.key",
        "profile": "coder"
      },
      "gateway_3": null
    }

| member | value | default |
|---|---|---|
| `url` | `http://…`, `https://…`, `host:port` or `unix:/PATH`; without a user name | |
| `health_path` | what is asked, after the URL | `/health`; with a key `/health/detailed` |
| `token_file` | the file with the gateway's key | none |
| `profile` | the name that its `/v1/models` must give first | none: it is not compared |

The key is read at each use and goes to this URL only, as `Authorization: Bearer`.
If its file cannot be read, the gateway is asked without it, and the daemon's log
says so. With a key, the `pid` that a gateway reports is compared with that of the
agent's process, and its name with `profile`: where they differ, another gateway
answers, and that is a failure. A gateway as a text is short for its `url`.

A probe has one connection, follows no redirect, and takes no proxy from the
environment. Of bodies over 64 KiB only the status code counts.

## Webhooks

    "webhooks": [
      {
        "url": "https://chat.example.org/hooks/fleet",
        "secret_file": "/etc/lazarus/hook.secret",
        "events": ["agent.*", "hold.begun"]
      }
    ]

| member | value | default |
|---|---|---|
| `url` | `http://…` or `https://…`, without a user name | |
| `secret_file` | the file with the word that signs what is sent, read when the config is | |
| `secret` | the word itself, instead of a file | |
| `events` | which stories; a word that ends in `*` means all that begin so | all |

Events: EVENTS.

## Commands in the config

`revive_command` and `notify_command` are a program and its arguments. No shell
reads them. A list hands on each word as it stands; a text is split at spaces, and
is refused where a shell would read more into it.

    "notify_command": ["mail", "-s", "mcell", "ops@example.org"]
    "notify_command": "/usr/local/bin/tell-ops --from mcell"

Whoever may write the config decides what the daemon starts.
"#;

/// The whole page.
pub(super) fn markdown() -> String {
    let mut page = String::from(TOP);
    page.push_str("\n| key | value | default | meaning |\n|---|---|---|---|\n");
    for key in &KEYS {
        let Key {
            name,
            default,
            about,
            ..
        } = key;
        let value = words(key.sort);
        page.push_str(&format!("| `{name}` | {value} | `{default}` | {about} |\n"));
    }
    let events = super::EVENTS.map(|event| format!("`{event}`"));
    page.push_str(&BOTTOM.replace("EVENTS", &events.join(", ")));
    fold(&page)
}

/// Sets paragraphs anew; lists, tables and examples stay as they are.
fn fold(page: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for line in page.lines() {
        let is_prose = line.starts_with(|first: char| first.is_alphabetic() || first == '`');
        if !is_prose {
            if column > 0 {
                out.push('\n');
            }
            out.push_str(line);
            out.push('\n');
            column = 0;
            continue;
        }
        for word in line.split(' ') {
            let length = word.chars().count();
            if column > 0 && column + 1 + length > 80 {
                out.push('\n');
                column = 0;
            } else if column > 0 {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += length;
        }
    }
    if column > 0 {
        out.push('\n');
    }
    out
}

fn words(sort: Sort) -> String {
    match sort {
        Sort::Seconds(least, most, _) => format!("{least} to {most} s"),
        Sort::MaybeSeconds(least, most, _) => format!("{least} to {most} s, or null"),
        Sort::Count(least, most, _) => format!("{least} to {most}"),
        Sort::YesNo(_) => String::from("true, false; also \"yes\", \"no\""),
        Sort::Level(_) => String::from("DEBUG, INFO, WARNING, ERROR, in any case"),
        Sort::Path(_) => String::from("a path"),
        Sort::MaybePath(_) => String::from("a path, or null"),
        Sort::MaybeName(_) => String::from("a name, or null"),
        Sort::Hosts(_) => String::from("a list of names of hosts"),
        Sort::Users(_) => String::from("a list of users"),
        Sort::Listen(_) => String::from("ADDRESS:PORT, or a list of them"),
        Sort::Gateways(_) => String::from("a list of names, or an object"),
        Sort::Signals(_) => String::from("a list of heartbeat, notify, output, probe"),
        Sort::Size(_) => String::from("a size: \"10MB\", \"512KiB\""),
        Sort::Command(_) => String::from("a program with its arguments, or null"),
        Sort::Webhooks(_) => String::from("a list of objects"),
    }
}
