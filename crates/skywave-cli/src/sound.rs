//! How the audio is encoded, and how it is kept whole on its way.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, RangedI64ValueParser, TypedValueParser};
use skywave::{
    AudioError, ExpectedLoss, OpusApplication, OpusBitrate, OpusComplexity, OpusOptions, Ptime,
    RtpConfig, SilencePolicy, TrackConfig,
};

/// How the audio is encoded, and how it is kept whole on its way.
#[derive(Debug, clap::Args)]
pub(crate) struct Sound {
    /// Milliseconds of audio in a packet: 2.5, 5, 10, 20, 40, 60, 80, 100 or 120; longer
    /// packets mean fewer of them and more latency. Listeners that take only shorter ones get
    /// those
    #[arg(long, global = true, value_name = "MS", default_value = "20", value_parser = ptime)]
    ptime: Ptime,

    /// Milliseconds in which one source fades into the next, 0 to 10000; 0 cuts
    #[arg(long, global = true, value_name = "MS", default_value_t = 5, value_parser = crossfade())]
    crossfade: u16,

    /// What is sent of silence: everything, about one packet in 400 ms (Opus DTX, or comfort
    /// noise for listeners of G.711 that know it), or nothing
    #[arg(long, global = true, value_name = "POLICY", default_value = "continuous", value_parser = one_of(&SILENCE))]
    silence: SilencePolicy,

    /// Bits a second of Opus, 6000 to 510000; if not given, 96000 in stereo and 48000 in mono.
    /// Listeners that declare less get less
    #[arg(long, global = true, value_name = "BITS", value_parser = bitrate)]
    opus_bitrate: Option<OpusBitrate>,

    /// What Opus is tuned for: speech, any sound, or the least delay
    #[arg(long, global = true, value_name = "USE", default_value = "audio", value_parser = one_of(&APPLICATION))]
    opus_application: OpusApplication,

    /// How hard the Opus encoder tries, 0 to 10: less takes less of the processor
    #[arg(long, global = true, value_name = "N", default_value = "5", value_parser = complexity)]
    opus_complexity: OpusComplexity,

    /// In-band error correction of Opus from the beginning, made for that loss (10 if not said).
    /// For speech: music is encoded as speech for it
    #[arg(long, global = true, value_name = "PERCENT", num_args = 0..=1, require_equals = true, default_missing_value = "10", value_parser = expected_loss)]
    opus_fec: Option<ExpectedLoss>,

    /// Opus DTX: hardly anything is sent while the source is quiet, whatever --silence says
    #[arg(long, global = true)]
    opus_dtx: bool,

    /// Leave error correction as --opus-fec says: else with --opus-application voip it follows
    /// the loss that the worst tenth of the listeners reports
    #[arg(long, global = true)]
    no_adaptive_fec: bool,

    /// Earlier packets that every packet repeats, 0 to 2, against packet loss; each costs
    /// the bit rate once more
    #[arg(long, global = true, value_name = "N", default_value_t = 0, value_parser = redundancy())]
    redundancy: u8,

    /// Leave it at --redundancy also for a listener that reports loss: else from 2 % on every
    /// packet to that one repeats one earlier packet, and two from 10 %
    #[arg(long, global = true)]
    no_adaptive_redundancy: bool,

    /// Send no lost packet again, even if a listener asks for it
    #[arg(long, global = true)]
    no_retransmission: bool,
}

impl Sound {
    /// A track that sounds so.
    pub(crate) fn track_config(&self) -> TrackConfig {
        TrackConfig {
            ptime: self.ptime,
            crossfade: Duration::from_millis(self.crossfade.into()),
            silence: self.silence,
            opus: OpusOptions {
                bitrate: self.opus_bitrate,
                application: self.opus_application,
                complexity: self.opus_complexity,
                in_band_fec: self.opus_fec.is_some(),
                expected_loss: self.opus_fec.unwrap_or_default(),
                dtx: self.opus_dtx,
                ..OpusOptions::default()
            },
            adaptive_fec: !self.no_adaptive_fec,
            rtp: RtpConfig {
                redundancy: self.redundancy,
                adaptive_redundancy: !self.no_adaptive_redundancy,
                retransmission: !self.no_retransmission,
                ..RtpConfig::default()
            },
            ..TrackConfig::default()
        }
    }
}

/// One of the lengths that a packet can have.
fn ptime(text: &str) -> Result<Ptime, String> {
    let named = |ptime: &Ptime| ptime.to_string() == text;
    let ptime = Ptime::ALL.into_iter().find(named);
    ptime.ok_or_else(|| "must be 2.5, 5, 10, 20, 40, 60, 80, 100 or 120".to_owned())
}

fn bitrate(text: &str) -> Result<OpusBitrate, String> {
    number(text, OpusBitrate::new)
}

fn complexity(text: &str) -> Result<OpusComplexity, String> {
    number(text, OpusComplexity::new)
}

fn expected_loss(text: &str) -> Result<ExpectedLoss, String> {
    number(text, ExpectedLoss::new)
}

/// A whole number that `check` admits.
fn number<N: std::str::FromStr, T>(
    text: &str,
    check: impl Fn(N) -> Result<T, AudioError>,
) -> Result<T, String> {
    let number = text.parse().map_err(|_| "not a number, or too large")?;
    check(number).map_err(|error| error.to_string())
}

/// A value by its name.
fn one_of<T: Copy + Send + Sync>(
    values: &'static [(&'static str, T)],
) -> impl TypedValueParser<Value = T> {
    let names = PossibleValuesParser::new(values.iter().map(|(name, _)| *name));
    names.try_map(|text| {
        let named = values.iter().find(|(name, _)| *name == text);
        named.map(|(_, value)| *value).ok_or("no such value")
    })
}

/// As many frames as a packet can repeat.
fn redundancy() -> RangedI64ValueParser<u8> {
    clap::value_parser!(u8).range(0..=2)
}

/// As long as a crossfade may be.
fn crossfade() -> RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(0..=10_000)
}

const SILENCE: [(&str, SilencePolicy); 3] = [
    ("continuous", SilencePolicy::Continuous),
    ("dtx", SilencePolicy::Dtx),
    ("stop", SilencePolicy::Stop),
];

const APPLICATION: [(&str, OpusApplication); 3] = [
    ("voip", OpusApplication::Voip),
    ("audio", OpusApplication::Audio),
    ("lowdelay", OpusApplication::LowDelay),
];

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::Args;

    /// What this command line makes of a track; none if it is refused.
    fn track(line: &str) -> Option<TrackConfig> {
        let words = ["skywave"].into_iter().chain(line.split_whitespace());
        let args = Args::try_parse_from(words).ok()?;
        Some(args.serve.sound.track_config())
    }

    #[test]
    fn nothing_said_is_the_default_track() {
        let [said, default] = [track("").unwrap(), TrackConfig::default()];
        assert_eq!(format!("{said:?}"), format!("{default:?}"));
    }

    #[test]
    fn every_option_reaches_the_track() {
        let speech = track(
            "--silence dtx --crossfade 250 --opus-bitrate 24000 --opus-application voip \
             --opus-complexity 9 --opus-fec --opus-dtx --no-adaptive-fec",
        )
        .unwrap();
        assert_eq!(speech.silence, SilencePolicy::Dtx);
        assert_eq!(speech.crossfade, Duration::from_millis(250));
        assert!(!speech.adaptive_fec);
        let opus = speech.opus;
        assert_eq!(opus.bitrate, OpusBitrate::new(24_000).ok());
        assert_eq!(opus.application, OpusApplication::Voip);
        assert_eq!(opus.complexity.value(), 9);
        assert!(opus.in_band_fec && opus.dtx);
        assert_eq!(opus.expected_loss.percent(), 10);

        let rtp = track("--no-adaptive-redundancy --no-retransmission --redundancy 1");
        let rtp = rtp.unwrap().rtp;
        assert!(!rtp.adaptive_redundancy && !rtp.retransmission);
        assert_eq!(rtp.redundancy, 1);
    }

    #[test]
    fn expected_loss_is_bound_to_its_option_and_eats_no_source() {
        let fec = |line| track(line).map(|track| track.opus.expected_loss.percent());
        assert_eq!(fec("--opus-fec=25"), Some(25));
        assert_eq!(fec("--opus-fec tone:440"), Some(10));
        assert_eq!(fec("--opus-fec=101"), None);
    }

    #[test]
    fn values_out_of_range_are_refused() {
        for refused in [
            "--silence never",
            "--crossfade 10001",
            "--crossfade -1",
            "--opus-bitrate 5999",
            "--opus-bitrate 510001",
            "--opus-bitrate 64k",
            "--opus-application music",
            "--opus-complexity 11",
            "--opus-complexity 300",
            "--redundancy 3",
            "--redundancy -1",
        ] {
            assert!(track(refused).is_none(), "{refused}");
        }
        assert!(track("--opus-bitrate 510000 --crossfade 10000 --redundancy 2").is_some());
    }

    #[test]
    fn ptime_is_one_of_nine_and_20_unless_said() {
        let ptime = |line| track(line).map(|track| track.ptime);
        assert_eq!(ptime(""), Some(Ptime::Ms20));
        for named in Ptime::ALL {
            let line = format!("--ptime {named}");
            assert_eq!(track(&line).map(|track| track.ptime), Some(named));
        }
        assert_eq!(ptime("--ptime 2.5"), Some(Ptime::Ms2_5));
        for refused in ["0", "2", "3", "30", "140", "-20", "20ms", ""] {
            assert!(track(&format!("--ptime={refused}")).is_none(), "{refused}");
        }
    }
}
