//! A long run with all that may happen on a busy host.

use skywave_rtp::{
    Departure, ExtensionIds, History, NtpTime, Packetizer, PacketizerConfig, Packing, RtpPacket,
};

use super::*;

/// Cheap to make and never silent.
struct Steady;

impl AudioSource for Steady {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        pcm.fill([0.5; 2]);
        pcm.len()
    }
}

/// Two minutes of a listener among others of all lengths, who come and go. Every step is late at
/// random by less than a step; if `stalls`, now and then by far more.
fn two_minutes(listener: Packetization, stalls: bool) -> Stage {
    let mut stage = Stage::new(listener.ptime);
    stage.shared.mailbox.put(Some(Box::new(Steady)));
    stage.shared.join(0, listener);
    let mut state = listener.ptime.samples() as u64;
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut others = [false; Ptime::ALL.len()];
    let shortest = listener.ptime.duration().min(Duration::from_millis(10));
    for second in 1..=120 {
        // Shorter ones would only make many more steps.
        let other = Ptime::Ms10 as usize + random(7) as usize;
        let guest = of(Encoding::Pcma, Ptime::ALL[other]);
        others[other] = !others[other];
        if others[other] {
            stage.shared.join(0, guest);
        } else {
            stage.shared.leave(0, guest);
        }
        let late = if stalls && random(5) == 0 {
            let now = stage.track.deadline() + Duration::from_millis(random(2_000));
            stage.track.play(std::slice::from_ref(&stage.output));
            stage.track.advance(now);
            Duration::ZERO
        } else {
            Duration::from_micros(random(shortest.as_micros() as u64))
        };
        stage.play_until(second * 1_000, late);
    }
    stage
}

#[test]
fn every_length_has_as_many_packets_as_fit_and_all_timestamps_are_exact() {
    for ptime in Ptime::ALL {
        let listener = of(Encoding::Pcmu, ptime);
        let stage = two_minutes(listener, false);
        let sent = stage.sent(listener);
        let len = ptime.samples() as u64;
        assert_eq!(sent.len() as u64, 120 * 48_000 / len);
        for (delivery, packet) in sent.into_iter().zip(0..) {
            assert_eq!(u64::from(delivery.frame.timestamp), packet * len / 6);
            assert_eq!(
                delivery.due,
                stage.start + ptime.duration() * (packet as u32 + 1)
            );
        }
    }
}

#[test]
fn stalls_cost_just_the_packets_of_the_time_that_is_counted_as_skipped() {
    for ptime in Ptime::ALL {
        let listener = of(Encoding::Pcmu, ptime);
        let stage = two_minutes(listener, true);
        let sent = stage.sent(listener);
        let len = ptime.samples() as u64;
        let mut next = 0;
        let mut lost = 0;
        for delivery in &sent {
            let missing = delivery.frame.begin - next;
            assert!(missing.is_multiple_of(len));
            lost += missing / len;
            next = delivery.frame.begin + len;
        }
        let all = sent.len() as u64 + lost;
        // The last stalls may follow close on each other and go beyond the end.
        let last_stalls = 4 * 48_000 / len;
        assert!(all.abs_diff(120 * 48_000 / len) <= last_stalls + 1, "{all}");
        let skipped = stage.shared.counters.frames_skipped.load(Relaxed);
        assert!(
            lost > 100 && skipped > 100,
            "{lost} lost, {skipped} skipped"
        );
        // A packet of which a part was skipped is lost as a whole.
        let seen = skipped - last_stalls.min(skipped);
        assert!((seen..=skipped * 2).contains(&lost), "{lost} {skipped}");
    }
}

#[test]
fn hours_have_as_many_packets_as_fit_each_due_to_the_nanosecond_and_exact_on_the_wire() {
    let listener = of(Encoding::Pcmu, Ptime::Ms20);
    let mut stage = Stage::new(Ptime::Ms20);
    stage.shared.mailbox.put(Some(Box::new(Steady)));
    stage.shared.join(0, listener);
    let mut wire = Wire::new();
    let mut random = 1_u32;
    let mut packets = 0;
    for second in 1..=HOURS * 3_600 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let late = Duration::from_micros(u64::from(random >> 16) % 20_000);
        stage.play_until(second * 1_000, late);
        for delivery in stage.sent.drain(..) {
            let due = stage.start + Ptime::Ms20.duration() * (packets + 1);
            assert_eq!(delivery.due, due);
            let (number, timestamp) = wire.send(delivery);
            assert_eq!(number, FIRST_NUMBER.wrapping_add(packets as u16));
            assert_eq!(timestamp, FIRST_TIMESTAMP.wrapping_add(packets * 160));
            packets += 1;
        }
    }
    assert_eq!(u64::from(packets), HOURS * 3_600 * 50);
    assert_eq!(stage.shared.counters.frames_skipped.load(Relaxed), 0);
}

/// What a listener's packets look like.
struct Wire {
    packetizer: Packetizer,
    history: History,
}

impl Wire {
    fn new() -> Self {
        let config = PacketizerConfig {
            ssrc: 1,
            payload_type: 0,
            comfort_noise: None,
            first_sequence_number: FIRST_NUMBER,
            timestamp_offset: FIRST_TIMESTAMP,
            extensions: ExtensionIds::default(),
        };
        Self {
            packetizer: Packetizer::new(config, Arc::default()).unwrap(),
            history: History::default(),
        }
    }

    /// Sequence number and timestamp of the packet.
    fn send(&mut self, delivery: Delivery) -> (u16, u32) {
        let frame = delivery.into_frame(NtpTime(0)).frame;
        let number = self.history.push(frame);
        let mut buffer = [0; 300];
        let (packing, departure) = (Packing::Plain, Departure::default());
        let written = self
            .packetizer
            .write(&self.history, number, packing, departure, &mut buffer);
        let packet = RtpPacket::parse(&buffer[..written.unwrap().len]).unwrap();
        assert_eq!(packet.payload().len(), 160);
        (packet.sequence_number(), packet.timestamp())
    }
}

/// Ten take a minute without optimisation, so the clock alone lives through those
/// (`skywave-audio/src/frame_clock/tests/ten_hours.rs`). Numbers wrap five times in two.
const HOURS: u64 = 2;
const FIRST_NUMBER: u16 = 30_000;
/// Half an hour before it wraps.
const FIRST_TIMESTAMP: u32 = u32::MAX - 1_800 * 8_000;
