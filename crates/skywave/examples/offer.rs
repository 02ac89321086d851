//! Offers a tone to one peer: prints the offer, reads the peer's answer from standard input (up to
//! an empty line), swaps the source after two seconds, and hangs up after four.
//!
//! `cargo run --example offer -p skywave`

use std::error::Error;
use std::io;
use std::time::Duration;

use skywave::{AudioTransmitter, Config, Melody, Tone};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut transmitter = AudioTransmitter::new(Config::default())?;
    println!("{}", transmitter.create_offer()?);
    let lines = io::stdin()
        .lines()
        .take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty()));
    let answer: Vec<String> = lines.collect::<Result<_, _>>()?;
    transmitter.accept_answer(&answer.join("\r\n"))?;

    transmitter.start_transmission(Tone::new(440.0)?);
    transmitter.connected().await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    transmitter.replace_audio_source(Melody::new());
    tokio::time::sleep(Duration::from_secs(2)).await;

    let stats = transmitter.transmission_stats();
    println!("{} packets, {} bytes", stats.packets_sent, stats.bytes_sent);
    transmitter.close().await;
    Ok(())
}
