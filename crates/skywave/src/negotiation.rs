//! From codecs to descriptions and back.

use skywave_audio::{
    AudioCodec, Encoding, OpusBandwidth, OpusBitrate, OpusReceiver, Packetization, Ptime,
    SAMPLE_RATE, SilencePolicy,
};
use skywave_peer::{MediaFormat, Remote};
use skywave_rtp::History;
use skywave_sdp::{CodecDescription, Error, Fmtp, Negotiated, SendCapabilities};

use crate::audience::Audience;
use crate::audio_track::TrackShared;
use crate::config::TrackConfig;
use crate::stats::AudioCodecCapability;

/// The codec as our offers and answers describe it. Opus and L16 have numbers of the dynamic range,
/// G.711 and G.722 their static ones (RFC 3551 §6).
pub(crate) fn description(codec: AudioCodec) -> CodecDescription {
    let (payload_type, fmtp) = match codec {
        AudioCodec::Opus => (111, "minptime=10;useinbandfec=1"),
        AudioCodec::Pcmu => (0, ""),
        AudioCodec::Pcma => (8, ""),
        AudioCodec::G722 => (9, ""),
        AudioCodec::L16 => (96, ""),
        AudioCodec::L16Wideband => (97, ""),
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
    // Short packets are kept for less than a second.
    let kept = History::DEPTH as u32 * track.ptime.duration();
    let kept = u32::try_from(kept.as_millis()).unwrap_or(u32::MAX);
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

/// What the hub needs to know of a listener of this track, who has that place.
pub(crate) fn remote(negotiated: &Negotiated, track: &TrackShared, audience: &Audience) -> Remote {
    let settings = audience.packetization().settings(track.opus_options());
    let format = MediaFormat {
        clock_rate: settings.codec().clock_rate(),
        frame_interval: settings.ptime().duration(),
        bit_rate: settings.bit_rate(),
    };
    let mut remote = Remote::new(negotiated, audience.stream(), format);
    remote.redundancy = track.config.rtp.redundancy;
    remote.adaptive_redundancy = track.config.rtp.adaptive_redundancy;
    if track.inlet.is_some() {
        // Nobody knows it. To leave it out is allowed where it was agreed to (RFC 8285 §5).
        remote.rtp.extensions.audio_level = None;
    }
    remote
}

/// The packets of this track that serve what was negotiated.
///
/// # Errors
/// [`Error::MaxptimeTooShort`] if none does.
pub(crate) fn packetization(
    negotiated: &Negotiated,
    track: &TrackShared,
) -> Result<Packetization, Error> {
    if track.inlet.is_some() {
        return as_it_comes(negotiated, &track.config);
    }
    let track = &track.config;
    let codec = track.codecs[negotiated.codec];
    let own = track.ptime.min(codec.max_ptime());
    let ptime = ptime(own, negotiated.maxptime, negotiated.ptime)?;
    let mut receiver = opus_receiver(&negotiated.remote_fmtp);
    let limits = [receiver.max_bitrate, described_limit(negotiated, ptime)];
    receiver.max_bitrate = limits.into_iter().flatten().min();
    let is_g711 = matches!(codec, AudioCodec::Pcmu | AudioCodec::Pcma);
    let leaves_out = track.silence != SilencePolicy::Continuous;
    Ok(Packetization {
        encoding: Encoding::new(codec, receiver),
        ptime,
        comfort_noise: is_g711 && leaves_out && negotiated.comfort_noise.is_some(),
    })
}

/// The packets of a track that come encoded, whatever the listener would like.
fn as_it_comes(negotiated: &Negotiated, track: &TrackConfig) -> Result<Packetization, Error> {
    let encoding = Encoding::new(track.codecs[negotiated.codec], OpusReceiver::STEREO);
    let ptime = track.ptime;
    match negotiated.maxptime {
        Some(maxptime) if maxptime < ptime.milliseconds() => Err(Error::MaxptimeTooShort {
            maxptime,
            shortest: ptime.milliseconds(),
        }),
        _ => Ok(Packetization::new(encoding, ptime)),
    }
}

/// The track's length of a packet, or the longest below it that the listener takes. `a=maxptime`
/// binds (RFC 8866 §6.5); `a=ptime` is what the listener would like (RFC 3264 §5.1, RFC 8866 §6.4):
/// followed downwards only, and as far as we have it. In milliseconds.
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

/// What `b=AS` or `b=TIAS` leaves for the payload of such packets. Headers count in full, as
/// `b=AS` has it (RFC 8866 §5.8).
fn described_limit(negotiated: &Negotiated, ptime: Ptime) -> Option<OpusBitrate> {
    let packets = f64::from(SAMPLE_RATE) / ptime.samples() as f64;
    let headers = (f64::from(PACKET_OVERHEAD * 8) * packets) as u64;
    let bits = negotiated.bandwidth?.saturating_sub(headers);
    OpusBitrate::step_at_most(u32::try_from(bits).unwrap_or(u32::MAX))
}

/// What the peer's `a=fmtp` declares of its receiver (RFC 7587 §6.1). Values that cannot be read
/// count as not written; `sprop-` parameters speak of what the peer sends.
fn opus_receiver(fmtp: &Fmtp) -> OpusReceiver {
    let number = |name| fmtp.parameter(name)?.parse::<u32>().ok();
    let is_set = |name| number(name) == Some(1);
    let bandwidth = number("maxplaybackrate").map(OpusBandwidth::of_playback_rate);
    OpusReceiver {
        stereo: is_set("stereo"),
        max_bitrate: number("maxaveragebitrate").and_then(OpusBitrate::step_at_most),
        max_bandwidth: bandwidth.unwrap_or_default(),
        cbr: is_set("cbr"),
        dtx: is_set("usedtx"),
        fec: is_set("useinbandfec"),
    }
}

/// Octets on top of a payload: RTP's header with extensions, SRTP's tag, UDP and IPv6.
const PACKET_OVERHEAD: u32 = 20 + 16 + 8 + 40;

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

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
            assert_eq!(ptime(own, Some(10), Some(60)), own.min(Ptime::Ms10));
            assert_eq!(ptime(own, None, Some(3)), Ptime::Ms2_5);
            assert_eq!(ptime(own, None, Some(1)), Ptime::Ms2_5, "as near as can be");
        }
        assert_eq!(ptime(Ptime::Ms60, Some(59), None), Ptime::Ms40);
        assert_eq!(ptime(Ptime::Ms60, None, Some(30)), Ptime::Ms20);
        assert_eq!(ptime(Ptime::Ms60, Some(40), Some(20)), Ptime::Ms20);
    }

    #[test]
    fn maxptime_that_cannot_be_kept_is_refused() {
        for maxptime in [0, 1, 2] {
            let refused = ptime(Ptime::Ms20, Some(maxptime), None);
            // RFC 7587 §6.1: 2.5 rounded up.
            let shortest = 3;
            assert_eq!(refused, Err(Error::MaxptimeTooShort { maxptime, shortest }));
        }
    }

    /// What the answer to such an offer agrees to.
    pub(crate) fn negotiated(offer: &str) -> Negotiated {
        let codecs = [description(AudioCodec::Opus)];
        let capabilities = SendCapabilities::new(&codecs);
        let offer = skywave_sdp::SessionDescription::parse(offer).unwrap();
        let identity = skywave_dtls::Identity::generate(std::time::SystemTime::now()).unwrap();
        let local = skywave_peer::LocalParameters::from_random(rand::random());
        let local = local.description(&identity, &[]);
        skywave_sdp::answer(&local, &offer, &capabilities)
            .unwrap()
            .1
    }

    fn receiver_of(offer: &str) -> OpusReceiver {
        opus_receiver(&negotiated(offer).remote_fmtp)
    }

    pub(crate) const CHROMIUM: &str = include_str!("../../skywave-sdp/testdata/chromium.sdp");
    const FIREFOX: &str = include_str!("../../skywave-sdp/testdata/firefox.sdp");

    #[test]
    fn rfc7587_6_1_browsers_receive_what_their_offers_declare() {
        let fec = OpusReceiver {
            fec: true,
            ..OpusReceiver::MONO
        };
        assert_eq!(receiver_of(CHROMIUM), fec);
        let stereo = OpusReceiver {
            stereo: true,
            ..fec
        };
        assert_eq!(receiver_of(FIREFOX), stereo);
    }

    #[test]
    fn level_of_packets_that_come_encoded_is_not_told() {
        let id = crate::audio_track::TrackId {
            engine: 0,
            number: 0,
        };
        let told = |track: TrackShared| {
            let (track, negotiated) = (Arc::new(track), negotiated(CHROMIUM));
            let needed = packetization(&negotiated, &track).unwrap();
            let audience = Audience::reserve(Arc::clone(&track), 0, needed).unwrap();
            let remote = remote(&negotiated, &track, &audience);
            remote.rtp.extensions.audio_level.is_some()
        };
        assert!(told(TrackShared::new(id, TrackConfig::default(), 1)));
        let config = crate::encoded_track::EncodedTrackConfig::default();
        assert!(!told(TrackShared::encoded(id, config, 1)));
    }

    #[test]
    fn rfc8866_5_8_bandwidth_of_the_description_bounds_opus() {
        let id = crate::audio_track::TrackId {
            engine: 0,
            number: 0,
        };
        let track = TrackShared::new(id, TrackConfig::default(), 1);
        let limit = |line: &str| {
            let offer = CHROMIUM.replace("t=0 0\r\n", &format!("{line}t=0 0\r\n"));
            match packetization(&negotiated(&offer), &track).unwrap().encoding {
                Encoding::Opus(receiver) => receiver.max_bitrate.map(OpusBitrate::bits),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(limit(""), None);
        // Headers of 50 packets a second take 33.6 kb/s.
        assert_eq!(limit("b=AS:60\r\n"), Some(24_000));
        assert_eq!(limit("b=TIAS:20000\r\n"), Some(6_000));
        assert_eq!(limit("b=AS:1000\r\n"), None);
    }

    #[test]
    fn rfc7587_6_1_every_parameter_of_the_receiver_is_read() {
        let munged = CHROMIUM.replace(
            "minptime=10;useinbandfec=1",
            "maxplaybackrate=16000;sprop-maxcapturerate=8000;maxaveragebitrate=20000;stereo=1;\
             sprop-stereo=0;cbr=1;usedtx=1",
        );
        assert_ne!(munged, CHROMIUM);
        let expected = OpusReceiver {
            stereo: true,
            max_bitrate: OpusBitrate::new(16_000).ok(),
            max_bandwidth: OpusBandwidth::Wideband,
            cbr: true,
            dtx: true,
            fec: false,
        };
        assert_eq!(receiver_of(&munged), expected);
        let broken = CHROMIUM.replace(
            "minptime=10;useinbandfec=1",
            "maxplaybackrate=fast;maxaveragebitrate=-1;stereo=yes;cbr;sprop-stereo=1",
        );
        assert_eq!(receiver_of(&broken), OpusReceiver::MONO);
    }
}
