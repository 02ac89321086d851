//! What a listener of another make decoded: a program in `peers/` that calls a WHEP URL itself.
//!
//! Each is called with the URL, how much it is to record and where to, tells one JSON object
//! when it is done, hangs up, and ends with success.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::child::Child;
use crate::server::Server;

/// Audio of one channel.
#[derive(Deserialize)]
pub struct Recording {
    /// Samples, 16 bits.
    pub samples: Vec<i16>,
    /// In hertz.
    pub sample_rate: u32,
    /// What the program told beside.
    #[serde(default)]
    pub told: Value,
}

impl Recording {
    /// GStreamer's webrtcbin, with Opus. The Python is the system's: the bindings are made
    /// for it.
    pub fn of_gstreamer(server: &Server, seconds: u32) -> Recording {
        let mut command = Command::new("/usr/bin/python3");
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/gstreamer_peer.py"));
        record("gstreamer", command, server, 48_000, seconds)
    }

    /// Pion, with PCMU: the program of `SKYWAVE_PION`, else the one in `target`.
    pub fn of_pion(server: &Server, seconds: u32) -> Recording {
        let program = std::env::var_os("SKYWAVE_PION").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/pion_peer"),
            PathBuf::from,
        );
        record("pion", Command::new(program), server, 8_000, seconds)
    }

    /// Of samples little-endian.
    pub(crate) fn of_octets(octets: &[u8], sample_rate: u32, told: Value) -> Recording {
        let samples = octets
            .chunks_exact(2)
            .map(|two| i16::from_le_bytes([two[0], two[1]]));
        Recording {
            samples: samples.collect(),
            sample_rate,
            told,
        }
    }

    /// The share of the last second's energy at `frequency` hertz, 0 to 1.
    pub fn share_at(&self, frequency: f64) -> f64 {
        let rate = f64::from(self.sample_rate);
        let last = self.samples.len().saturating_sub(self.sample_rate as usize);
        let (mut cosine, mut sine, mut energy) = (0.0, 0.0, 0.0);
        for (n, &sample) in self.samples[last..].iter().enumerate() {
            let (sample, turn) = (f64::from(sample), n as f64 / rate * std::f64::consts::TAU);
            cosine += sample * (turn * frequency).cos();
            sine += sample * (turn * frequency).sin();
            energy += sample * sample;
        }
        let power = (cosine * cosine + sine * sine) * 2.0 / (self.samples.len() - last) as f64;
        if energy > 0.0 { power / energy } else { 0.0 }
    }
}

fn record(
    name: &'static str,
    mut command: Command,
    server: &Server,
    sample_rate: u32,
    seconds: u32,
) -> Recording {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("recording");
    let octets = 2 * sample_rate * seconds;
    command.arg(format!("{}/whep", server.base_url()));
    command.arg(octets.to_string()).arg(&file);
    let mut child = Child::spawn(name, &mut command);
    let told = child.find_in_stdout(PATIENCE, |line| serde_json::from_str(line).ok());
    assert!(child.wait(PATIENCE).success(), "{name} failed");
    let octets = std::fs::read(&file).expect("the recording is there");
    Recording::of_octets(&octets, sample_rate, told)
}

/// More than any call takes, the start of a browser-sized library included.
const PATIENCE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_found_at_its_pitch_only() {
        let sample = |n: u32| (f64::from(n) * 440.0 * std::f64::consts::TAU / 8_000.0).sin();
        let samples: Vec<i16> = (0..16_000).map(|n| (sample(n) * 9_000.0) as i16).collect();
        let mut recording = Recording {
            samples,
            sample_rate: 8_000,
            told: Value::Null,
        };
        assert!(recording.share_at(440.0) > 0.99);
        assert!(recording.share_at(450.0) < 0.01);
        recording.samples.fill(0);
        assert_eq!(recording.share_at(440.0), 0.0);
    }
}
