//! An audience of real peers in real time.

use skywave::{
    AudioTrack, AudioTransmitter, Engine, EngineConfig, Melody, OpusBitrate, OpusOptions, Ptime,
    TrackConfig, TransmitterState,
};
use webrtc::rtp::packet::Packet;

use crate::peer::Listener;
use crate::{assert_unbroken, connected, tone};

struct Member {
    transmitter: AudioTransmitter,
    listener: Listener,
    packets: Vec<Packet>,
}

impl Member {
    /// Comes with these parameters of Opus in place of what webrtc-rs offers; to be connected soon.
    async fn come(engine: &Engine, track: &AudioTrack, wish: &str) -> Self {
        let listener = Listener::new().await;
        let offer = listener.offer().await;
        let offer = offer.replace("minptime=10;useinbandfec=1", wish);
        assert!(offer.contains(wish), "{offer}");
        let mut transmitter = engine.transmitter(track).unwrap();
        let answer = transmitter.accept_offer(&offer).unwrap();
        listener.accept_answer(answer).await;
        Self {
            transmitter,
            listener,
            packets: Vec::new(),
        }
    }

    async fn hear(&mut self, packets: usize) {
        self.packets.extend(self.listener.packets(packets).await);
    }

    /// Takes what has arrived.
    fn catch_up(&mut self) {
        self.packets.extend(self.listener.waiting_packets());
    }

    /// Is hung up, and gives the payloads that it heard: all that was sent to it, one by one.
    async fn leave(mut self) -> Vec<Vec<u8>> {
        let given_up = [TransmitterState::Failed, TransmitterState::Closed];
        assert!(!given_up.contains(&self.transmitter.state()));
        self.transmitter.close().await;
        let sent = usize::try_from(self.transmitter.transmission_stats().packets_sent).unwrap();
        self.hear(sent - self.packets.len()).await;
        assert_unbroken(&self.packets, 2_880, self.transmitter.track());
        let payloads = self.packets.iter().map(|packet| packet.payload.to_vec());
        payloads.collect()
    }
}

/// So many listeners whose wishes take turns.
async fn audience(engine: &Engine, track: &AudioTrack, listeners: usize) -> Vec<Member> {
    let mut audience = Vec::new();
    for wish in WISHES.into_iter().cycle().take(listeners) {
        audience.push(Member::come(engine, track, wish).await);
    }
    for member in &audience {
        connected(&member.transmitter).await;
    }
    audience
}

/// Its packets are few: what a listener's socket holds is lost when it is full, and a busy machine
/// lets the tasks of many peers wait for seconds.
fn track(engine: &Engine) -> AudioTrack {
    let track = engine.audio_track(TrackConfig {
        ptime: Ptime::Ms60,
        ..TrackConfig::default()
    });
    track.replace_audio_source(Melody::new());
    track
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_with_three_wishes_hear_three_encodings_without_a_stop() {
    let engine = Engine::bind(EngineConfig::default()).unwrap();
    let track = track(&engine);
    let mut audience = audience(&engine, &track, 24).await;
    for member in &mut audience {
        member.hear(60).await;
    }
    assert_eq!(track.stats().encodings, 3);
    let mut heard = Vec::new();
    for member in audience {
        heard.push(member.leave().await);
    }
    // The first to leave tell what all heard: they left when all had been there for longer.
    let first_to_leave = heard[..WISHES.len()].iter();
    let common: Vec<_> = first_to_leave
        .map(|payloads| &payloads[payloads.len() - COMMON..])
        .collect();
    for (number, payloads) in heard.iter().enumerate() {
        for (wish, common) in common.iter().enumerate() {
            let hears_it = payloads.windows(COMMON).any(|window| window == *common);
            assert_eq!(hears_it, number % WISHES.len() == wish, "{number} {wish}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stays_misses_nothing_while_others_come_and_go_and_the_programme_changes() {
    let engine = Engine::bind(EngineConfig::default()).unwrap();
    let track = track(&engine);
    let mut staying = audience(&engine, &track, 20).await;
    for member in &mut staying {
        member.catch_up();
    }
    let mut guests: Vec<Member> = Vec::new();
    let mut wishes = GUESTS_WISHES.into_iter().cycle();
    let mut random = 1_u32;
    for _ in 0..STEPS {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let choice = (random >> 8) as usize;
        match random >> 30 {
            0 => {
                let wish = wishes.next().unwrap();
                let mut guest = Member::come(&engine, &track, wish).await;
                connected(&guest.transmitter).await;
                guest.hear(1).await;
                guests.push(guest);
            }
            1 if !guests.is_empty() => {
                let guest = guests.swap_remove(choice % guests.len());
                if choice.is_multiple_of(2) {
                    guest.listener.close().await;
                } else {
                    guest.transmitter.close().await;
                }
            }
            2 => track.set_opus_options(OpusOptions {
                bitrate: OpusBitrate::new([16_000, 64_000, 128_000][choice % 3]).ok(),
                ..OpusOptions::default()
            }),
            _ => track.replace_audio_source(tone([440.0, 880.0][choice % 2])),
        }
        staying[0].catch_up();
        staying[0].hear(2).await;
    }
    // As many as the first heard meanwhile: nobody was given up.
    for member in &mut staying[1..] {
        member.hear(2 * STEPS).await;
    }
    for member in staying {
        member.leave().await;
    }
    assert_eq!(track.stats().encoder_errors, 0);
}

/// Packets that those who have the same wish are seen to share.
const COMMON: usize = 30;

/// Changes while some stay, two packets apart.
const STEPS: usize = 40;

const WISHES: [&str; 3] = [
    "minptime=10;useinbandfec=1",
    "stereo=1;useinbandfec=1",
    "maxaveragebitrate=25000",
];

/// Some have an encoding of their own, which begins and ends with them, one in shorter packets.
const GUESTS_WISHES: [&str; 4] = [
    "stereo=1;useinbandfec=1",
    "usedtx=1\r\na=maxptime:20",
    "maxplaybackrate=16000;cbr=1",
    "maxaveragebitrate=16000;stereo=1",
];
