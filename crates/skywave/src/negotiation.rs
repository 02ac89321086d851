//! From codecs to descriptions and back.

use skywave_audio::{AudioCodec, Encoding, Packetization, Ptime};
use skywave_peer::{MediaFormat, Remote};
use skywave_rtp::History;
use skywave_sdp::{CodecDescription, Error, Fmtp, Negotiated, SendCapabilities};

use crate::audio_track::TrackShared;
use crate::config::TrackConfig;
use crate::stats::AudioCodecCapability;

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

/// Format parameters as they stand in `a=fmtp`.
pub(crate) fn fmtp_line(fmtp: &Fmtp) -> String {
    let parameters = fmtp
        .parameters
        .iter()
        .map(|(name, value)| match &value[..] {
            "" => name.clone(),
            value => format!("{name}={value}"),
        });
    parameters.collect::<Vec<_>>().join(";")
}

/// What an offer says, or an answer picks from.
pub(crate) fn send_capabilities<'a>(
    codecs: &'a [CodecDescription],
    track: &TrackConfig,
) -> SendCapabilities<'a> {
    let config = track.rtp;
    let defaults = SendCapabilities::new(codecs);
    // Packets of 10 ms are kept for less than a second.
    let kept = History::DEPTH as u32 * track.ptime.milliseconds();
    SendCapabilities {
        rtx_time: defaults.rtx_time.min(kept),
        abs_send_time: config.abs_send_time,
        abs_capture_time: config.abs_capture_time,
        transport_cc: config.transport_cc,
        encrypted_extensions: config.encrypted_headers,
        cryptex: config.encrypted_headers,
        nack: config.retransmission,
        rtx: config.retransmission,
        ..defaults
    }
}

/// What the hub needs to know of a listener of this track.
pub(crate) fn remote(
    negotiated: &Negotiated,
    track: &TrackShared,
    packetization: Packetization,
) -> Remote {
    let Packetization { encoding, ptime } = packetization;
    let format = MediaFormat {
        clock_rate: encoding.codec().clock_rate(),
        frame_interval: ptime.duration(),
        bit_rate: encoding.bit_rate(),
    };
    Remote {
        redundancy: track.config.rtp.redundancy,
        adaptive_redundancy: track.config.rtp.adaptive_redundancy,
        ..Remote::new(negotiated, track.stream(packetization), format)
    }
}

/// The packets of this track that serve what was negotiated.
///
/// # Errors
/// [`Error::MaxptimeTooShort`] if none does.
pub(crate) fn packetization(
    negotiated: &Negotiated,
    track: &TrackConfig,
) -> Result<Packetization, Error> {
    Ok(Packetization {
        encoding: encoding(track.codecs[negotiated.codec], negotiated),
        ptime: ptime(track.ptime, negotiated.maxptime, negotiated.ptime)?,
    })
}

/// The track's length of a packet, or the longest below it that the listener takes. `a=maxptime`
/// binds (RFC 8866 §6.5); `a=ptime` is what the listener would like (RFC 3264 §5.1, RFC 8866 §6.4): followed
/// downwards only, and as far as we have it. In milliseconds.
fn ptime(own: Ptime, maxptime: Option<u32>, wanted: Option<u32>) -> Result<Ptime, Error> {
    let too_short = |maxptime| Error::MaxptimeTooShort {
        maxptime,
        shortest: Ptime::MIN.milliseconds(),
    };
    let most = match maxptime {
        Some(maxptime) => Ptime::at_most(maxptime).ok_or(too_short(maxptime))?,
        None => own,
    };
    let wanted = wanted.map_or(own, |wanted| Ptime::at_most(wanted).unwrap_or(Ptime::MIN));
    Ok(own.min(most).min(wanted))
}

/// The encoding that serves what was negotiated. Stereo goes only to those who asked for it
/// (RFC 7587 §6.1: mono is preferred where `stereo` is absent).
fn encoding(codec: AudioCodec, negotiated: &Negotiated) -> Encoding {
    match codec {
        AudioCodec::Opus if negotiated.remote_fmtp.parameter("stereo") == Some("1") => {
            Encoding::OpusStereo
        }
        AudioCodec::Opus => Encoding::OpusMono,
        AudioCodec::Pcmu => Encoding::Pcmu,
        AudioCodec::Pcma => Encoding::Pcma,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc8866_6_5_maxptime_binds_and_ptime_is_followed_downwards() {
        let ptime = |own, maxptime, wanted| ptime(own, maxptime, wanted).unwrap();
        for own in Ptime::ALL {
            assert_eq!(ptime(own, None, None), own);
            assert_eq!(
                ptime(own, Some(120), Some(120)),
                own,
                "never longer than the track's"
            );
            assert_eq!(ptime(own, Some(10), Some(60)), Ptime::Ms10);
            assert_eq!(ptime(own, None, Some(3)), Ptime::Ms10, "as near as can be");
        }
        assert_eq!(ptime(Ptime::Ms60, Some(59), None), Ptime::Ms40);
        assert_eq!(ptime(Ptime::Ms60, None, Some(30)), Ptime::Ms20);
        assert_eq!(ptime(Ptime::Ms60, Some(40), Some(20)), Ptime::Ms20);
    }

    #[test]
    fn maxptime_that_cannot_be_kept_is_refused() {
        for maxptime in [1, 3, 5, 9] {
            let refused = ptime(Ptime::Ms20, Some(maxptime), None);
            let shortest = 10;
            assert_eq!(refused, Err(Error::MaxptimeTooShort { maxptime, shortest }));
        }
    }
}
