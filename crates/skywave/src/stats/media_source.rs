//! `media-source`: the track before it is encoded.

use serde::Serialize;

/// The W3C's `RTCAudioSourceStats` of the track, which its listeners share.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct MediaSourceStats {
    /// Stays the same when the source is replaced.
    pub id: String,
    /// When this was so, in milliseconds since 1970.
    pub timestamp: f64,
    /// The track's id in `a=msid`.
    pub track_identifier: String,
    /// `audio`.
    pub kind: &'static str,
    /// Root mean square of the last step, 0 to 1; 1 is 0 dBov.
    pub audio_level: f64,
    /// Sum of the squares of all samples (full scale is 1) by their duration, in seconds: the
    /// average level of a time is the root of its growth by that of
    /// [`total_samples_duration`](Self::total_samples_duration).
    pub total_audio_energy: f64,
    /// How long everything that the source gave lasts, silence in its place included, in seconds.
    pub total_samples_duration: f64,
}
