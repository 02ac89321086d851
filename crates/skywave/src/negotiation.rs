//! From codecs to descriptions and back.

use skywave_audio::{AudioCodec, Encoding};
use skywave_peer::{MediaFormat, Remote};
use skywave_sdp::{CodecDescription, Negotiated, SendCapabilities};

use crate::audio_track::TrackShared;
use crate::config::RtpConfig;
use crate::stats::AudioCodecCapability;
use crate::track_worker::FRAME;

/// The codec as our offers and answers describe it. Opus has a number of the dynamic range,
/// G.711 its static ones (RFC 3551 §6).
pub(crate) fn description(codec: AudioCodec) -> CodecDescription {
    let (payload_type, fmtp) = match codec {
        AudioCodec::Opus => (111, "minptime=10;useinbandfec=1"),
        AudioCodec::Pcmu => (0, ""),
        AudioCodec::Pcma => (8, ""),
    };
    CodecDescription {
        name: codec.name(),
        clock_rate: codec.clock_rate(),
        channels: codec.channels(),
        payload_type,
        fmtp,
    }
}

/// All codecs that can be sent, the preferred first.
pub(crate) fn capabilities() -> Vec<AudioCodecCapability> {
    let capability = |codec: AudioCodec| AudioCodecCapability {
        mime_type: codec.mime_type(),
        clock_rate: codec.clock_rate(),
        channels: codec.channels(),
        sdp_fmtp_line: Some(description(codec).fmtp).filter(|fmtp| !fmtp.is_empty()),
    };
    AudioCodec::ALL.into_iter().map(capability).collect()
}

/// What an offer says, or an answer picks from.
pub(crate) fn send_capabilities(
    codecs: &[CodecDescription],
    config: RtpConfig,
) -> SendCapabilities<'_> {
    SendCapabilities {
        abs_send_time: config.abs_send_time,
        abs_capture_time: config.abs_capture_time,
        transport_cc: config.transport_cc,
        encrypted_extensions: config.encrypted_headers,
        cryptex: config.encrypted_headers,
        nack: config.retransmission,
        rtx: config.retransmission,
        ..SendCapabilities::new(codecs)
    }
}

/// What the hub needs to know of a listener of this track.
pub(crate) fn remote(negotiated: &Negotiated, track: &TrackShared, encoding: Encoding) -> Remote {
    let format = MediaFormat {
        clock_rate: encoding.codec().clock_rate(),
        frame_interval: FRAME,
        bit_rate: encoding.bit_rate(),
    };
    Remote {
        redundancy: track.config.rtp.redundancy,
        ..Remote::new(negotiated, track.stream(encoding), format)
    }
}

/// The encoding that serves what was negotiated. Stereo goes only to those who asked for it
/// (RFC 7587 §6.1: mono is preferred where `stereo` is absent).
pub(crate) fn encoding(codec: AudioCodec, negotiated: &Negotiated) -> Encoding {
    match codec {
        AudioCodec::Opus if negotiated.remote_fmtp.parameter("stereo") == Some("1") => {
            Encoding::OpusStereo
        }
        AudioCodec::Opus => Encoding::OpusMono,
        AudioCodec::Pcmu => Encoding::Pcmu,
        AudioCodec::Pcma => Encoding::Pcma,
    }
}
