//! What one packet to one listener costs before it reaches the kernel, in nanoseconds.
//!
//! - `packetize_srtp`: RTP header with extensions, counters, copy of the payload, SRTP. The whole of
//!   what this project does per packet, with each protection profile.
//! - `aead_seal`: the AEAD call of aws-lc-rs alone, over the same octets. No profile can be faster
//!   than its cipher.
//! - `copy`: the payload copied to its place, nothing else.
//!
//! One session again and again, so keys and buffers are in the cache: machines and loads differ,
//! compare figures of one run. The payloads are those of PCMU and PCMA at 10, 20 and 40 ms.

use std::hint::black_box;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, LessSafeKey, Nonce, UnboundKey};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use skywave_rtp::{Counters, Frame, Mid, Packetizer, PacketizerConfig};
use skywave_srtp::{MasterKey, Profile, SrtpSender};

criterion_group!(benches, packetize_srtp, aead_seal, copy);
criterion_main!(benches);

fn packetize_srtp(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("packetize_srtp");
    for profile in PROFILES {
        for octets in PAYLOAD_OCTETS {
            let payload = vec![0x55; octets];
            let mut packetizer = packetizer();
            let mut sender = sender(profile);
            let mut packet = [0; 1500];
            let mut timestamp = 0_u32;
            group.throughput(Throughput::Elements(1));
            group.bench_function(BenchmarkId::new(profile.name(), octets), |bencher| {
                bencher.iter(|| {
                    timestamp = timestamp.wrapping_add(octets as u32);
                    let frame = Frame {
                        payload: black_box(&payload),
                        timestamp,
                        marker: false,
                        audio_level: 30,
                        voice: true,
                    };
                    let written = packetizer
                        .write(&frame, &mut packet)
                        .expect("the buffer holds the packet");
                    sender
                        .protect(&mut packet, written.header_len, written.len)
                        .expect("a stream in order is protected");
                    black_box(&mut packet);
                });
            });
        }
    }
    group.finish();
}

fn aead_seal(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("aead_seal");
    for (name, algorithm) in [("AES_128_GCM", &AES_128_GCM), ("AES_256_GCM", &AES_256_GCM)] {
        for octets in PAYLOAD_OCTETS {
            let key = aead_key(algorithm);
            let mut payload = vec![0x55; octets];
            let header = [0x90; HEADER_OCTETS];
            let mut counter = 0_u64;
            group.throughput(Throughput::Elements(1));
            group.bench_function(BenchmarkId::new(name, octets), |bencher| {
                bencher.iter(|| {
                    counter += 1;
                    let mut nonce = [0; 12];
                    nonce[4..].copy_from_slice(&counter.to_be_bytes());
                    let nonce = Nonce::assume_unique_for_key(nonce);
                    let aad = Aad::from(black_box(&header));
                    key.seal_in_place_separate_tag(nonce, aad, black_box(&mut payload))
                        .expect("so short a text is sealed")
                });
            });
        }
    }
    group.finish();
}

fn copy(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("copy");
    for octets in PAYLOAD_OCTETS {
        let payload = vec![0x55; octets];
        let mut packet = [0_u8; 1500];
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::from_parameter(octets), |bencher| {
            bencher.iter(|| {
                let target = &mut packet[HEADER_OCTETS..HEADER_OCTETS + octets];
                target.copy_from_slice(black_box(&payload));
                black_box(&mut packet);
            });
        });
    }
    group.finish();
}

/// With the header extensions a browser agrees to.
fn packetizer() -> Packetizer {
    let config = PacketizerConfig {
        ssrc: 0x1234_5678,
        payload_type: 0,
        first_sequence_number: 4711,
        timestamp_offset: 90_210,
        mid: Some(Mid::new(4, "0").expect("so short a mid is carried")),
        audio_level: Some(1),
    };
    Packetizer::new(config, Arc::new(Counters::default())).expect("the configuration is valid")
}

fn sender(profile: Profile) -> SrtpSender {
    let key = [7; 32];
    let salt = [9; 14];
    let master = MasterKey::new(
        profile,
        &key[..profile.key_len()],
        &salt[..profile.salt_len()],
    );
    SrtpSender::new(&master.expect("the lengths are the profile's"))
}

fn aead_key(algorithm: &'static Algorithm) -> LessSafeKey {
    let key = [7; 32];
    let key = UnboundKey::new(algorithm, &key[..algorithm.key_len()]);
    LessSafeKey::new(key.expect("the length is the algorithm's"))
}

const PROFILES: [Profile; 3] = [
    Profile::Aes128CmHmacSha1_80,
    Profile::AeadAes128Gcm,
    Profile::AeadAes256Gcm,
];
const PAYLOAD_OCTETS: [usize; 3] = [80, 160, 320];
/// Twelve octets of RTP, four of extension header, four of audio level and mid.
const HEADER_OCTETS: usize = 20;
