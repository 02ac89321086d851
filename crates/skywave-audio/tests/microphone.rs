//! The microphone over devices that are nothing but configuration of ALSA.
//!
//! Each test runs itself again as a child with that configuration: an environment is read by C
//! code here, and must not be changed while other threads run.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use skywave_audio::{AudioSource, Error, Microphone};

#[test]
fn what_the_device_records_is_what_the_source_gives() {
    let octets: Vec<u8> = wave().flatten().flat_map(f32::to_le_bytes).collect();
    let recording = file("float.raw", &octets);
    let device = format!("pcm.!default {}", device_that_plays(&recording));
    if is_child_with(&device, "what_the_device_records_is_what_the_source_gives") {
        assert_eq!(first_difference(&recorded()), None);
    }
}

#[test]
fn device_of_integers_is_converted() {
    let octets: Vec<u8> = (wave().flatten())
        .flat_map(|sample| ((sample * 32_768.0) as i16).to_le_bytes())
        .collect();
    let slave = device_that_plays(&file("integer.raw", &octets));
    let device = format!("pcm.!default {{ type linear slave {{ pcm {slave} format S16_LE }} }}");
    if is_child_with(&device, "device_of_integers_is_converted") {
        // The first buffer: `linear` makes `file` skip the other half of each ring.
        assert_eq!(first_difference(&recorded()[..960]), None);
    }
}

#[test]
fn device_that_nobody_reads_is_closed_with_its_threads() {
    let device = "pcm.!default { type null }";
    if is_child_with(
        device,
        "device_that_nobody_reads_is_closed_with_its_threads",
    ) {
        let before = threads();
        let mut microphone = Microphone::open().unwrap();
        wait_until(|| microphone.ready());
        // This device gives as much as is taken: all queues are full soon.
        thread::sleep(Duration::from_millis(200));
        assert!(threads() > before);
        drop(microphone);
        // A thread that has not been joined is still on its way out.
        wait_until(|| threads() == before);
    }
}

#[test]
fn device_that_is_missing_is_an_error() {
    for device in [
        "",
        "pcm.!default { type hw card 31 }",
        "pcm.!default { type file slave.pcm { type null } file /dev/null infile /no/such }",
    ] {
        if is_child_with(device, "device_that_is_missing_is_an_error") {
            let error = Microphone::open().map(|_| ()).unwrap_err();
            assert!(matches!(&error, Error::Microphone(_)), "{error}");
            assert!(error.to_string().len() > "microphone: ".len());
            return;
        }
    }
}

/// A second of stereo at 48 kHz, in values that 16 bits have.
fn wave() -> impl Iterator<Item = [f32; 2]> {
    (0..48_000_u16).map(|position| {
        let value = f32::from(position % 109) / 256.0;
        [value, -value / 2.0]
    })
}

/// As many samples as are kept of a device that waits for nobody.
fn recorded() -> Vec<[f32; 2]> {
    let mut microphone = Microphone::open().unwrap();
    let mut samples = vec![[0.0; 2]; 48_000];
    let mut read = 0;
    wait_until(|| {
        read += microphone.read(&mut samples[read..]);
        assert!(!microphone.ended(), "{:?}", microphone.error());
        read == samples.len()
    });
    samples
}

fn wait_until(mut reached: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !reached() {
        assert!(Instant::now() < end, "with {} threads", threads());
        thread::yield_now();
    }
}

/// Where it is not what the wave is.
fn first_difference(recorded: &[[f32; 2]]) -> Option<(usize, [f32; 2])> {
    let mut pairs = recorded.iter().copied().zip(wave()).enumerate();
    let different = pairs.find(|(_, (recorded, expected))| recorded != expected);
    different.map(|(position, (recorded, _))| (position, recorded))
}

/// Gives the octets of a file, as fast as they are taken.
fn device_that_plays(recording: &Path) -> String {
    let recording = recording.display();
    format!(
        "{{ type file slave.pcm {{ type null }} file /dev/null infile \"{recording}\" format raw }}"
    )
}

/// True in a child with only that device, false in the test proper, once the child has succeeded.
fn is_child_with(device: &str, test: &str) -> bool {
    if std::env::var_os(IS_CHILD).is_some() {
        return true;
    }
    let configuration = file(&format!("{test}.conf"), device.as_bytes());
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env("ALSA_CONFIG_PATH", configuration)
        .env(IS_CHILD, "1")
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{device}: {said}");
    assert!(said.contains("1 passed"), "{said}");
    false
}

const IS_CHILD: &str = "SKYWAVE_TEST_IS_CHILD";

fn file(name: &str, octets: &[u8]) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    if std::env::var_os(IS_CHILD).is_none() {
        fs::write(&path, octets).unwrap();
    }
    path
}

fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}
