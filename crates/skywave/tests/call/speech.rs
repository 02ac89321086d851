//! A voice agent's speech, as its listener hears it.

use std::time::Duration;

use skywave::{
    AudioCodec, AudioTransmitter, Config, Error, SpeechEvent, SpeechQueue, SpeechQueueConfig,
    TransmitterState,
};
use tokio::time::timeout;
use webrtc::rtp::packet::Packet;

use crate::peer::{Listener, PATIENCE};
use crate::{connect, sound, tone};

/// A tone at 24 kHz.
fn words(milliseconds: usize) -> Vec<i16> {
    let step = std::f64::consts::TAU * 400.0 / 24_000.0;
    (0..24 * milliseconds)
        .map(|n| (12_000.0 * (step * n as f64).sin()) as i16)
        .collect()
}

/// A call, mostly by PCMU, which hides nothing, and the packets heard so far.
struct Call {
    queue: SpeechQueue,
    transmitter: AudioTransmitter,
    listener: Listener,
    packets: Vec<Packet>,
}

impl Call {
    /// One whose listener is there after the first words were pushed.
    async fn begin(first_words: &[i16]) -> Self {
        Self::with(AudioCodec::Pcmu, first_words).await
    }

    async fn with(codec: AudioCodec, first_words: &[i16]) -> Self {
        let mut config = Config::default();
        config.track.codecs = vec![codec];
        let mut transmitter = AudioTransmitter::new(config).unwrap();
        let (queue, source) = SpeechQueue::new(&SpeechQueueConfig::default());
        transmitter.start_transmission(source);
        queue.push(first_words, 24_000, 1).await.unwrap();
        let listener = connect(&mut transmitter).await;
        Self {
            queue,
            transmitter,
            listener,
            packets: Vec::new(),
        }
    }

    /// The next event; packets that come meanwhile are kept.
    async fn event(&mut self) -> SpeechEvent {
        let event = timeout(PATIENCE, self.queue.next_event()).await;
        self.packets.extend(self.listener.waiting_packets());
        event.expect("events keep coming").unwrap()
    }

    /// Hangs up, and returns all that was heard.
    async fn end(mut self) -> Vec<f32> {
        self.transmitter.close().await;
        sound::pcmu_samples(&self.all_packets().await)
    }

    /// All that was sent until it was hung up.
    async fn all_packets(&mut self) -> Vec<Packet> {
        let sent = self.transmitter.transmission_stats().packets_sent as usize;
        let left = sent - self.packets.len();
        self.packets.extend(self.listener.packets(left).await);
        std::mem::take(&mut self.packets)
    }
}

/// How many milliseconds of that are not silent, in steps of a period of the tone.
fn audible(heard: &[f32]) -> f64 {
    let loud = |period: &&[f32]| period.iter().any(|sample| sample.abs() > 100.0);
    heard.chunks(20).filter(loud).count() as f64 * 2.5
}

fn assert_near(heard: f64, expected: f64) {
    assert!(
        (heard - expected).abs() <= 7.5,
        "{heard} ms instead of {expected} ms"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_utterance_is_heard_exactly_as_far_as_the_event_says() {
    let mut call = Call::begin(&words(30_000)).await;
    assert_eq!(call.event().await, SpeechEvent::Started);
    call.packets.extend(call.listener.packets(25).await);
    call.queue.clear();
    let sent_before = call.queue.position().sent;
    let SpeechEvent::Interrupted { sent, discarded } = call.event().await else {
        panic!("no interruption");
    };
    // One packet may have been under way, and then come the 5 ms of the fade.
    assert!(
        sent <= sent_before + 960 + 240,
        "{sent} after {sent_before}"
    );
    assert_eq!(sent + discarded, 30_000 * 48);
    call.packets.extend(call.listener.packets(20).await);
    let heard = call.end().await;
    assert_near(audible(&heard), sent as f64 / 48.0);
    // Once silent it stays so.
    let last = heard.iter().rposition(|sample| sample.abs() > 100.0);
    assert_near(last.unwrap() as f64 / 8.0, sent as f64 / 48.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn first_word_and_last_word_are_heard() {
    let call = Call::begin(&words(200)).await;
    call.queue.push(&words(300)[..], 24_000, 1).await.unwrap();
    let closed = call.transmitter.close_after_drain(&call.queue, PATIENCE);
    closed.await.unwrap();
    assert_eq!(call.transmitter.state(), TransmitterState::Closed);
    assert_eq!(call.queue.position().sent, 500 * 48);
    assert_near(audible(&call.end().await), 500.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn last_word_by_opus_is_decoded_to_its_end() {
    let mut call = Call::with(AudioCodec::Opus, &words(200)).await;
    let closed = call.transmitter.close_after_drain(&call.queue, PATIENCE);
    closed.await.unwrap();
    let packets = call.all_packets().await;
    let heard = sound::opus_samples(&packets);
    let last = heard.iter().rposition(|sample| sample.abs() > 0.1);
    // The encoder looks 6.5 ms ahead at most, and what came before the first word is silent.
    let end = last.unwrap() as f64 / 48.0;
    let first = heard.iter().position(|sample| sample.abs() > 0.1);
    assert_near(end - first.unwrap() as f64 / 48.0, 200.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn drain_that_takes_too_long_is_given_up_and_said() {
    let call = Call::begin(&words(1_000)).await;
    call.queue.pause();
    let limit = Duration::from_millis(500);
    let closed = call.transmitter.close_after_drain(&call.queue, limit);
    let outcome = timeout(PATIENCE, closed).await.expect("the limit holds");
    let queued = call.queue.position().queued();
    assert!(
        queued > 0 && matches!(outcome, Err(Error::NotDrained { queued: told }) if told == queued)
    );
    assert_eq!(call.transmitter.state(), TransmitterState::Closed);
    // Once more changes nothing.
    let again = call
        .transmitter
        .close_after_drain(&call.queue, Duration::MAX);
    assert!(matches!(again.await, Err(Error::NotDrained { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn drain_ends_with_whoever_listened_or_what_was_heard() {
    let mut call = Call::begin(&words(60_000)).await;
    call.listener.packets(5).await;
    call.listener.close().await;
    let closed = call
        .transmitter
        .close_after_drain(&call.queue, Duration::MAX);
    let outcome = timeout(PATIENCE, closed).await.expect("nobody listens");
    assert!(
        matches!(outcome, Err(Error::NotDrained { .. })),
        "{outcome:?}"
    );

    let call = Call::begin(&words(60_000)).await;
    call.transmitter.replace_audio_source(tone(440.0));
    let closed = call
        .transmitter
        .close_after_drain(&call.queue, Duration::MAX);
    let outcome = timeout(PATIENCE, closed).await.expect("its source is gone");
    assert!(
        matches!(outcome, Err(Error::NotDrained { .. })),
        "{outcome:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn words_after_an_interruption_follow_at_once() {
    let mut call = Call::begin(&words(30_000)).await;
    assert_eq!(call.event().await, SpeechEvent::Started);
    call.queue.clear();
    call.queue.push(&words(200)[..], 24_000, 1).await.unwrap();
    call.queue.finish().await.unwrap();
    let SpeechEvent::Interrupted { sent, .. } = call.event().await else {
        panic!("no interruption");
    };
    assert_eq!(call.event().await, SpeechEvent::Started);
    let finished = SpeechEvent::Finished { sent: 200 * 48 };
    assert_eq!(call.event().await, finished);
    tokio::time::timeout(Duration::from_secs(30), call.queue.drained())
        .await
        .unwrap()
        .unwrap();
    let heard = call.end().await;
    assert_near(audible(&heard), sent as f64 / 48.0 + 200.0);
}
