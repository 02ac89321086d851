//! What one packet to one listener costs before it reaches the kernel, in nanoseconds.
//!
//! RTP header with extensions, copy of the payload, SRTP: ours, and with the feature `peers` that
//! of others, each first shown to make the same packets. Beside them the bare call of the
//! cryptography, and a plain copy.
//!
//! - `hot`: one session again and again, so its keys are in the nearest cache.
//! - `in_order`: 10,000 sessions with keys of their own, one after another in the order in which
//!   they were made, as the hub walks through its listeners; all send the same payload.
//! - `shuffled`: the same in an order that no processor guesses.
//!
//! Sessions are told in batches of 64, as the media thread sends them. Time is that of the thread
//! on the processor. Machines and loads differ all the same: compare figures of one run. The
//! payloads are those of PCMU and PCMA at 10, 20 and 40 ms.

use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};
use rustix::time::{ClockId, clock_gettime};
use skywave_benches::{
    BareCm, BareGcm, Frame, Listener, PROFILES, PlainCopy, Schedule, Session, Skywave, buffer,
    shuffled,
};
#[cfg(feature = "peers")]
use skywave_benches::{Libsrtp, RtcSrtp, Str0m, WebrtcSrtp, assert_identical_packets};
use skywave_srtp::Profile;

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1));
    targets = identity, hot, in_order, shuffled_order
}
criterion_main!(benches);

/// Whatever is measured does the same work, or nothing is.
fn identity(_criterion: &mut Criterion) {
    #[cfg(feature = "peers")]
    for profile in PROFILES {
        assert_identical_packets::<Libsrtp>(profile);
        assert_identical_packets::<WebrtcSrtp>(profile);
        assert_identical_packets::<RtcSrtp>(profile);
        assert_identical_packets::<Str0m>(profile);
    }
}

fn hot(criterion: &mut Criterion) {
    for profile in PROFILES {
        let mut group = criterion.benchmark_group(format!("hot_{}", profile.name()));
        group.throughput(Throughput::Elements(1));
        of_all(&mut group, profile, &[0; Schedule::BATCH]);
        group.finish();
    }
}

fn in_order(criterion: &mut Criterion) {
    let order: Vec<usize> = (0..SESSIONS).collect();
    for profile in PROFILES {
        let mut group = criterion.benchmark_group(format!("in_order_{}", profile.name()));
        group.throughput(Throughput::Elements(1));
        of_all(&mut group, profile, &order);
        group.finish();
    }
}

fn shuffled_order(criterion: &mut Criterion) {
    let order = shuffled(SESSIONS);
    for profile in PROFILES {
        let mut group = criterion.benchmark_group(format!("shuffled_{}", profile.name()));
        group.throughput(Throughput::Elements(1));
        of_all(&mut group, profile, &order);
        group.finish();
    }
}

fn of_all(group: &mut BenchmarkGroup<'_, WallTime>, profile: Profile, order: &[usize]) {
    of_one::<Skywave>(group, profile, order);
    match profile {
        Profile::Aes128CmHmacSha1_80 => of_one::<BareCm>(group, profile, order),
        _ => of_one::<BareGcm>(group, profile, order),
    }
    #[cfg(feature = "peers")]
    {
        of_one::<Libsrtp>(group, profile, order);
        of_one::<WebrtcSrtp>(group, profile, order);
        of_one::<RtcSrtp>(group, profile, order);
        of_one::<Str0m>(group, profile, order);
    }
    of_one::<PlainCopy>(group, profile, order);
}

/// One packet a measured step, to the next listener in the order; in batches, as the media thread
/// sends.
fn of_one<S: Session>(group: &mut BenchmarkGroup<'_, WallTime>, profile: Profile, order: &[usize]) {
    let sessions = order.iter().max().map_or(0, |last| last + 1);
    // Made only if the filter on the command line lets one of the sizes through.
    let mut fleet: Vec<S> = Vec::new();
    let mut buffer = buffer();
    let mut at = 0;
    for octets in PAYLOAD_OCTETS {
        let frame = Frame::new(octets, 960);
        group.bench_function(BenchmarkId::new(S::NAME, octets), |bencher| {
            if fleet.is_empty() {
                let numbers = 0..sessions as u32;
                fleet.extend(numbers.map(|number| S::new(&Listener::new(profile, number))));
            }
            bencher.iter_custom(|packets| {
                let started = cpu_time();
                let mut left = packets as usize;
                while left > 0 {
                    let end = order.len().min(at + left.min(Schedule::BATCH));
                    S::send_batch(&mut fleet, &order[at..end], &frame, &mut buffer);
                    left -= end - at;
                    at = end % order.len();
                }
                cpu_time() - started
            });
        });
    }
}

/// What this thread has used of the processor: others may run beside it, and are not counted.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.try_into().expect("processor time is not negative")
}

const SESSIONS: usize = 10_000;
const PAYLOAD_OCTETS: [usize; 3] = [80, 160, 320];
