//! The channels, their sources, and `/api/channels`.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{ConnectInfo, Path as UrlPath, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use skywave::AudioTrack;
use skywave_whip::Problem;
use tokio::sync::Mutex;

use crate::api::Station;
use crate::source::{self, SourceName};

/// `NAME=SOURCE`, or a source alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChannelArg {
    pub(crate) name: Option<String>,
    pub(crate) source: SourceName,
}

impl FromStr for ChannelArg {
    type Err = <SourceName as FromStr>::Err;

    /// What stands before `=` is a name if it could be one: `./a=b.wav` and addresses are sources.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let named = text.split_once('=');
        let named = named.filter(|(name, _)| !name.is_empty() && name.bytes().all(is_word));
        let (name, source) = match named {
            Some((name, source)) => (Some(name.to_owned()), source),
            None => (None, text),
        };
        let source = source.parse()?;
        Ok(Self { name, source })
    }
}

/// The names of the channels, where a single one needs none.
pub(crate) fn named(channels: &[ChannelArg]) -> Result<Vec<(String, SourceName)>, Unnamed> {
    let alone = channels.len() == 1;
    let named = |channel: &ChannelArg| {
        let name = channel
            .name
            .clone()
            .or_else(|| alone.then(|| MAIN.to_owned()));
        let name = name.ok_or_else(|| Unnamed(channel.source.to_string()))?;
        Ok((name, channel.source.clone()))
    };
    channels.iter().map(named).collect()
}

/// One of several sources has no name.
#[derive(Debug, thiserror::Error)]
#[error("of several sources each needs a name: NAME={0}")]
pub(crate) struct Unnamed(String);

/// One programme.
pub(crate) struct Channel {
    pub(crate) name: String,
    pub(crate) track: AudioTrack,
    /// The name of what plays; locked while the track gets its new source, so
    /// that name and sound agree.
    source: Mutex<String>,
}

impl Channel {
    pub(crate) fn new(name: String, track: AudioTrack, source: &SourceName) -> Self {
        Self {
            name,
            track,
            source: Mutex::new(source.to_string()),
        }
    }

    /// The name of what plays.
    pub(crate) async fn source(&self) -> String {
        self.source.lock().await.clone()
    }

    /// Plays something else, or goes on.
    async fn swap(&self, wanted: &str) -> Result<(), Problem> {
        let Ok(name): Result<SourceName, _> = wanted.parse();
        if name.is_standard_input() {
            return Err(unopened(
                "Standard input can only be chosen when skywave starts.",
            ));
        }
        let source = source::open(name).await.map_err(unopened)?;
        let mut playing = self.source.lock().await;
        self.track.replace_audio_source(source);
        wanted.clone_into(&mut playing);
        Ok(())
    }
}

/// All channels; there is at least one.
pub(crate) struct Channels {
    main: Channel,
    others: Vec<Channel>,
}

impl Channels {
    pub(crate) fn new(main: Channel, others: Vec<Channel>) -> Self {
        Self { main, others }
    }

    /// The first.
    pub(crate) fn main(&self) -> &Channel {
        &self.main
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Channel> {
        [&self.main].into_iter().chain(&self.others)
    }
}

pub(crate) fn router() -> Router<Arc<Station>> {
    Router::new()
        .route("/api/source", put(swap_main))
        .route("/api/channels", get(list))
        .route("/api/channels/{name}/source", put(swap))
}

#[derive(Deserialize, Serialize)]
struct Source {
    source: String,
}

/// `PUT /api/source`: the new source plays for everybody, or the old one goes on.
async fn swap_main(
    State(station): State<Arc<Station>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Json<Source>, JsonRejection>,
) -> Result<Json<Source>, Problem> {
    station.control.check(client, &headers)?;
    let Json(wanted) = body.map_err(|error| Problem::new(error.status(), error.body_text()))?;
    station.channels.main().swap(&wanted.source).await?;
    Ok(Json(wanted))
}

/// `PUT /api/channels/{name}/source`: the same for one of several.
async fn swap(
    State(station): State<Arc<Station>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    name: Result<UrlPath<String>, PathRejection>,
    headers: HeaderMap,
    body: Result<Json<Source>, JsonRejection>,
) -> Result<Json<Source>, Problem> {
    station.control.check(client, &headers)?;
    let name = name.map(|UrlPath(name)| name).unwrap_or_default();
    let channel = station.channels.iter().find(|channel| channel.name == name);
    let Some(channel) = channel else {
        let detail = "There is no such channel.";
        return Err(Problem::new(StatusCode::NOT_FOUND, detail));
    };
    let Json(wanted) = body.map_err(|error| Problem::new(error.status(), error.body_text()))?;
    channel.swap(&wanted.source).await?;
    Ok(Json(wanted))
}

#[derive(Serialize)]
struct ChannelInfo {
    name: String,
    /// Where to listen.
    whep: String,
    source: String,
    listeners: usize,
}

/// `GET /api/channels`: what there is to hear, and how many hear it.
async fn list(
    State(station): State<Arc<Station>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Json<Vec<ChannelInfo>> {
    let trusted = station.control.allows(client, &headers);
    let counts = station.listeners.by_channel().await;
    let mut infos = Vec::new();
    for channel in station.channels.iter() {
        let source = channel.source().await;
        let shown = if trusted { &source } else { file_name(&source) };
        infos.push(ChannelInfo {
            name: channel.name.clone(),
            whep: format!("/whep/{}", channel.name),
            source: shown.to_owned(),
            listeners: counts.get(&channel.name).copied().unwrap_or_default(),
        });
    }
    Json(infos)
}

fn unopened(reason: impl ToString) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, reason.to_string())
}

/// What others are told of a source: not where it lies, nor what an address has behind its path.
pub(crate) fn file_name(source: &str) -> &str {
    let place = match source.split_once("://") {
        Some((_, place)) => {
            let place = place.split(['?', '#']).next().unwrap_or_default();
            place.rsplit('@').next().unwrap_or_default()
        }
        None => source,
    };
    let path = Path::new(place).file_name();
    path.and_then(OsStr::to_str).unwrap_or(place)
}

/// The channel of a source without a name.
const MAIN: &str = "main";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Option<String>, String) {
        let Ok(channel) = text.parse::<ChannelArg>();
        (channel.name, channel.source.to_string())
    }

    #[test]
    fn names_stand_before_an_equals_sign() {
        let named = |name: &str, source: &str| (Some(name.to_owned()), source.to_owned());
        assert_eq!(parse("talk=tone:440"), named("talk", "tone:440"));
        assert_eq!(parse("a-b_1=x=y.wav"), named("a-b_1", "x=y.wav"));
        for source in ["melody", "./a=b.wav", "tone:440=", "=x", "a b=c"] {
            assert_eq!(parse(source), (None, source.to_owned()));
        }
    }

    #[test]
    fn only_a_single_source_needs_no_name() {
        let args = |texts: &[&str]| -> Vec<ChannelArg> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let single = named(&args(&["melody"])).unwrap();
        assert_eq!(single, [("main".to_owned(), SourceName::Melody)]);
        let two = named(&args(&["a=melody", "b=melody"])).unwrap();
        assert_eq!((two[0].0.as_str(), two[1].0.as_str()), ("a", "b"));
        let refused = named(&args(&["a=melody", "tone:440"])).unwrap_err();
        assert!(refused.to_string().contains("NAME=tone:440"), "{refused}");
    }

    #[test]
    fn others_are_not_told_where_a_file_lies() {
        assert_eq!(file_name("/home/me/secret/tune.flac"), "tune.flac");
        assert_eq!(file_name("melody"), "melody");
        let address = "https://user:secret@radio.example/live.ogg?token=secret";
        assert_eq!(file_name(address), "live.ogg");
        let address = "https://user:secret@radio.example";
        assert_eq!(file_name(address), "radio.example");
    }
}
