//! Where options come from: the command line, before it the environment, before that a file.
//!
//! One schema for all: what [`Args`] declares. An option `--max-listeners` is also the variable
//! `SKYWAVE_MAX_LISTENERS` and the key `max-listeners` of the file, read by the same rules.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches};
use toml::{Table, Value};

use skywave_url::redacted;

use crate::args::Args;

/// The options in the end, and the same as a file.
pub(crate) struct Config {
    pub(crate) args: Args,
    matches: ArgMatches,
}

impl Config {
    /// Reads everything. `words` is the command line with the program's name.
    pub(crate) fn read(words: Vec<OsString>) -> Result<Self, Error> {
        let mut matches = command().try_get_matches_from(&words)?;
        if let Some(path) = matches.get_one::<PathBuf>("config").cloned() {
            let table = read_file(&path)?;
            let words = with_file(words, &table, &matches, &path)?;
            // All that stood on the command line was right before.
            let wrong = |error: clap::Error| Error::Value(path.clone(), sentence(&error));
            matches = command().try_get_matches_from(words).map_err(wrong)?;
        }
        let args = Args::from_arg_matches(&matches)?;
        Ok(Self { args, matches })
    }

    /// A file that says all of it, without the secrets.
    pub(crate) fn to_toml(&self) -> String {
        let mut table = Table::new();
        let command = command();
        for arg in command.get_arguments().filter(|arg| is_option(arg)) {
            let values: Vec<_> = values_of(&self.matches, arg.get_id().as_str())
                .iter()
                .map(|text| masked(arg, text))
                .collect();
            let value = match arg.get_action() {
                ArgAction::SetTrue => Value::Boolean(values == ["true"]),
                ArgAction::Append => Value::Array(values.into_iter().map(Value::String).collect()),
                _ => match values.first() {
                    Some(value) => scalar(value),
                    None => continue,
                },
            };
            table.insert(key(arg), value);
        }
        table.to_string()
    }
}

/// All of [`Args`], each option with its variable of the environment.
fn command() -> Command {
    Args::command().mut_args(|arg| match variable(&arg) {
        // The help has one sentence for all of them.
        Some(name) => arg.env(name).hide_env(true),
        None => arg,
    })
}

fn variable(arg: &Arg) -> Option<String> {
    let long = arg
        .get_long()
        .filter(|_| is_option(arg) || arg.get_id() == "config")?;
    Some(format!("SKYWAVE_{}", long.replace('-', "_").to_uppercase()))
}

/// Whether it says how to serve.
fn is_option(arg: &Arg) -> bool {
    !matches!(
        arg.get_id().as_str(),
        "help" | "version" | "config" | "print_config"
    )
}

/// Its key in a file: an option's name, and `sources` for what has none.
fn key(arg: &Arg) -> String {
    arg.get_long().unwrap_or(arg.get_id().as_str()).to_owned()
}

fn read_file(path: &Path) -> Result<Table, Error> {
    let text = fs::read_to_string(path).map_err(|cause| Error::File(path.to_owned(), cause))?;
    text.parse().map_err(|error: toml::de::Error| {
        // Without the line itself, as the error would have it: a secret may stand there.
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map_or(1, |text| text.matches('\n').count() + 1);
        Error::Syntax(path.to_owned(), line, error.message().to_owned())
    })
}

/// The command line, preceded by what the file says and nobody else does.
fn with_file(
    words: Vec<OsString>,
    table: &Table,
    matches: &ArgMatches,
    path: &Path,
) -> Result<Vec<OsString>, Error> {
    let command = command();
    let (mut options, mut sources) = (Vec::new(), Vec::new());
    for (name, value) in table {
        let arg = command
            .get_arguments()
            .find(|arg| is_option(arg) && key(arg) == *name);
        let Some(arg) = arg else {
            return Err(unknown(path, name, &command));
        };
        let texts = texts(value).ok_or_else(|| {
            let sentence =
                format!("{name} is neither a text, a number, true, false nor a list of those");
            Error::Value(path.to_owned(), sentence)
        })?;
        if said_elsewhere(matches, arg.get_id().as_str()) {
            continue;
        }
        for text in texts {
            match (arg.get_long(), arg.get_action()) {
                (None, _) => sources.push(text.into()),
                (Some(_), ArgAction::SetTrue) if text == "false" => {}
                (Some(long), ArgAction::SetTrue) if text == "true" => {
                    options.push(format!("--{long}").into());
                }
                (Some(long), _) => options.push(format!("--{long}={text}").into()),
            }
        }
    }
    let mut words = words.into_iter();
    let program = words.next();
    let mut all: Vec<OsString> = program.into_iter().chain(options).chain(words).collect();
    if !sources.is_empty() {
        all.push("--".into());
        all.extend(sources);
    }
    Ok(all)
}

/// Whether the command line or the environment says it.
fn said_elsewhere(matches: &ArgMatches, id: &str) -> bool {
    let said = |matches: &ArgMatches| {
        let source = matches
            .try_contains_id(id)
            .is_ok()
            .then(|| matches.value_source(id));
        matches!(
            source.flatten(),
            Some(ValueSource::CommandLine | ValueSource::EnvVariable)
        )
    };
    said(matches) || matches.subcommand().is_some_and(|(_, inner)| said(inner))
}

/// What an option is in the end, as text.
fn values_of(matches: &ArgMatches, id: &str) -> Vec<String> {
    let inner = matches.subcommand().map(|(_, inner)| inner);
    let has_it = |inner: &&ArgMatches| inner.try_contains_id(id).is_ok();
    let matches = inner.filter(has_it).unwrap_or(matches);
    let values = matches.get_raw(id).into_iter().flatten();
    values
        .map(|text| text.to_string_lossy().into_owned())
        .collect()
}

/// A secret is not printed, only that there is one.
fn masked(arg: &Arg, text: &str) -> String {
    match arg.get_id().as_str() {
        "viewer_token" | "control_token" => MASK.to_owned(),
        "ice_server" => match text.split_whitespace().collect::<Vec<_>>()[..] {
            [url, user, _] => format!("{url} {user} {MASK}"),
            _ => text.to_owned(),
        },
        // A URL may hold a password.
        "sources" => redacted(text),
        _ => text.to_owned(),
    }
}

/// Numbers without quotation marks.
fn scalar(text: &str) -> Value {
    match text.parse() {
        Ok(number) => Value::Integer(number),
        Err(_) => text.into(),
    }
}

/// A value of the file as it would stand on the command line.
fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(values) => {
            let texts = values.iter().map(texts).collect::<Option<Vec<_>>>()?;
            Some(texts.concat())
        }
        Value::String(text) => Some(vec![text.clone()]),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => Some(vec![value.to_string()]),
        Value::Table(_) | Value::Datetime(_) => None,
    }
}

fn unknown(path: &Path, name: &str, command: &Command) -> Error {
    let keys = command
        .get_arguments()
        .filter(|arg| is_option(arg))
        .map(key);
    let likeness = |key: &String| strsim::jaro_winkler(key, &name.replace('_', "-"));
    let nearest = keys.max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    Error::Key {
        path: path.to_owned(),
        key: name.to_owned(),
        hint: nearest
            .filter(|key| likeness(key) > LIKE)
            .map_or(String::new(), |key| format!("; did you mean {key}?")),
    }
}

/// What a clap error says, without the usage.
fn sentence(error: &clap::Error) -> String {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    first.strip_prefix("error: ").unwrap_or(first).to_owned()
}

/// The command line of this process.
pub(crate) fn words() -> Vec<OsString> {
    env::args_os().collect()
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Has its own way to be shown, and may be a request for help.
    #[error(transparent)]
    CommandLine(#[from] clap::Error),
    #[error("{}: {}", .0.display(), .1)]
    File(PathBuf, io::Error),
    #[error("{}, line {}: {}", .0.display(), .1, .2)]
    Syntax(PathBuf, usize, String),
    #[error("{}: there is no option {key}{hint}", path.display())]
    Key {
        path: PathBuf,
        key: String,
        hint: String,
    },
    #[error("{}: {}", .0.display(), .1)]
    Value(PathBuf, String),
}

const MASK: &str = "***";

/// From here on a name may be meant for another.
const LIKE: f64 = 0.75;

#[cfg(test)]
mod tests {
    use super::*;

    /// The options with this file and this command line.
    fn read(file: &str, line: &str) -> Result<Config, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("skywave.toml");
        fs::write(&path, file).unwrap();
        let words = ["skywave", "--config", path.to_str().unwrap()];
        let words = words.into_iter().chain(line.split_whitespace());
        Config::read(words.map(OsString::from).collect())
    }

    fn refusal(file: &str) -> String {
        match read(file, "") {
            Ok(_) => panic!("{file} is taken"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn command_line_goes_before_the_file_and_the_file_before_defaults() {
        let file = "max-listeners = 7\nptime = 60\nno-realtime = true\nhttp = \"[::1]:9\"";
        for line in ["--ptime 10", "serve --ptime 10"] {
            let serve = read(file, line).unwrap().args.serve;
            assert_eq!(serve.max_listeners, 7);
            assert_eq!(serve.sound.track_config().ptime.milliseconds(), 10);
            assert!(serve.no_realtime);
            assert_eq!(serve.http.port(), 9);
            assert_eq!(serve.shards, 1);
        }
    }

    #[test]
    fn error_correction_of_the_file_has_its_loss() {
        let sound = |line| read("opus-fec = 25\nno-adaptive-fec = true", line).unwrap();
        let opus = |line| sound(line).args.serve.sound.track_config().opus;
        assert_eq!(opus("").expected_loss.percent(), 25);
        assert_eq!(opus("--opus-fec").expected_loss.percent(), 10);
        let printed = sound("").to_toml();
        assert!(printed.contains("opus-fec = 25\n"), "{printed}");
        assert!(!read("", "").unwrap().to_toml().contains("opus-fec"));
    }

    #[test]
    fn lists_of_the_file_are_not_added_to_those_of_the_command_line() {
        let file =
            "public-ip = [\"192.0.2.1\", \"192.0.2.2\"]\nsources = [\"a=melody\", \"b=tone:1000\"]";
        let args = read(file, "").unwrap().args;
        assert_eq!(args.serve.public_ip.len(), 2);
        assert_eq!(args.sources().len(), 2);
        let args = read(file, "serve tone:440 --public-ip 192.0.2.3")
            .unwrap()
            .args;
        assert_eq!(args.serve.public_ip.len(), 1);
        assert_eq!(args.sources()[0].source.to_string(), "tone:440");
        assert_eq!(read(file, "serve").unwrap().args.sources().len(), 2);
        let doctor = read(file, "doctor").unwrap().args;
        assert!(doctor.is_doctor() && doctor.sources().len() == 2);
    }

    #[test]
    fn unknown_keys_are_refused_with_the_nearest_name() {
        let sentence = refusal("max-listener = 7");
        assert!(
            sentence.ends_with("no option max-listener; did you mean max-listeners?"),
            "{sentence}"
        );
        assert!(refusal("max_listeners = 7").ends_with("did you mean max-listeners?"));
        assert!(refusal("colour = \"blue\"").ends_with("no option colour"));
        for not_an_option in ["help = true", "config = \"x\"", "print-config = true"] {
            assert!(refusal(not_an_option).contains("there is no option"));
        }
    }

    #[test]
    fn values_are_refused_as_on_the_command_line_with_the_file_named() {
        let sentence = refusal("ptime = 30");
        assert!(
            sentence.contains("skywave.toml: invalid value '30' for '--ptime <MS>'"),
            "{sentence}"
        );
        assert!(refusal("no-realtime = \"perhaps\"").contains("--no-realtime"));
        assert!(refusal("[http]\nport = 1").contains("http is neither"));
        assert!(refusal("ptime = 20\nptime").contains("skywave.toml, line 2: "));
    }

    #[test]
    fn secrets_that_cannot_be_used_are_not_repeated() {
        for file in [
            "viewer-token = \"0123456789 secret\"",
            "control-token = \"secret\"",
            "ice-server = \"turn:turn.example.net user secret more\"",
            "viewer-token = \"0123456789 secret",
            "viewer-token = { secret = 1 }",
        ] {
            let sentence = refusal(file);
            assert!(sentence.contains("skywave.toml"), "{sentence}");
            assert!(!sentence.contains("secret"), "{sentence}");
        }
        let Err(error) = read("", "--viewer-token secret") else {
            panic!("too short");
        };
        let text = error.to_string();
        assert!(
            text.contains("'--viewer-token <TOKEN>'") && !text.contains("secret"),
            "{text}"
        );
    }

    #[test]
    fn printed_configuration_is_read_back_and_has_no_secrets() {
        let file =
            "viewer-token = \"0123456789abcdef\"\nice-server = [\"turn:t user pass\"]\nptime = 40";
        let printed = read(file, "--no-realtime tone:440").unwrap().to_toml();
        assert!(printed.contains("ptime = 40\n"), "{printed}");
        assert!(printed.contains("no-realtime = true\n"), "{printed}");
        assert!(printed.contains("sources = [\"tone:440\"]"), "{printed}");
        assert!(printed.contains("max-listeners = 10000\n"), "{printed}");
        assert!(
            !printed.contains("0123456789abcdef") && !printed.contains("pass"),
            "{printed}"
        );

        let printed = read("", "--max-listeners 3").unwrap().to_toml();
        let again = read(&printed, "").unwrap();
        assert_eq!(again.args.serve.max_listeners, 3);
        assert_eq!(again.to_toml(), printed);
    }
}
