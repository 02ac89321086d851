//! Thousands of listeners at once: what does a WHEP server of audio bear, and at what cost?
//!
//! [`run`] makes a test after a [`Plan`] and gives a [`Report`]; the program `skywave-load` does
//! so from a command line. [`Listener`] is one listener without socket and clock, for tests of
//! your own.
//!
//! # What a listener is
//!
//! A whole WebRTC receiver but for the decoder. It posts an offer (Opus, PCMU, PCMA), sends ICE
//! checks as the controlling agent and answers those of the server, makes the DTLS handshake of
//! either version in either role, compares the certificate with the answer's fingerprint, and
//! takes SRTP. It counts every packet by its sequence number, authenticates the first three and
//! then one in 64, renews consent every 5 s and sends receiver reports about every 5 s. It leaves
//! with BYE, close_notify and DELETE. Each has a socket of its own, so to the server it is as
//! any other; all share one certificate and one thread.
//!
//! # What is measured
//!
//! | figure | how |
//! |---|---|
//! | joins | from the offer's first byte to the first genuine packet, and its parts; what waited for one of the [`connections`](Plan::connections) is shown apart |
//! | expected packets | twice: by the sequence numbers that the window spans, and by time and rate, the rate being that of the smallest step of the timestamps. The second finds frames that a server left out before it numbered them; one packet a listener is allowed for, as windows begin within a frame |
//! | gaps | between the arrivals of two packets of a listener |
//! | lateness | the arrival less the time of the RTP timestamp, less the least that this has been for the listener: how far a packet lies behind the best line. A constant delay is none |
//! | server | `/proc/PID`: nanoseconds of all threads (`schedstat`), which the ticks of `stat` divide into user and kernel; RSS by walking the pages (`smaps_rollup`) |
//! | waiting | what the thread that waited most waited while others had the core (`schedstat`): two programs on one core are not worth measuring, and with one core for all its threads a server waits for itself as it fills up |
//! | own CPU | the same of this process; when it took or waited for more than 85 % of a core it says so, as then it may be what is slow |
//!
//! An audience is *held* when all are connected, 99.9 % of the packets came, and 99 % of the gaps
//! are within 60 ms, or three packets if these are longer than 20 ms.
//!
//! Arrivals are those in the kernel (`SO_TIMESTAMPNS`), so what this program is late itself does
//! not count, and it reads each listener's socket once in 20 ms instead of being told of each
//! datagram: on one machine both the telling and the waking are charged to the sender, a tenth of
//! its time that a listener elsewhere does not cost it. The kernel's queue counts as lateness, and
//! so does the drift between the clocks of two machines: 20 ppm are 0.2 ms in 10 s.
//!
//! # What it does not do
//!
//! It decodes nothing, requests no retransmission, gathers no candidates but the address that
//! leads to the server, and speaks neither TLS, TURN, TCP nor trickle ICE. It needs Linux.
//!
//! ```no_run
//! use std::time::Duration;
//! use skywave_load::{Mode, Plan, run};
//!
//! let mode = Mode::Steady {
//!     steps: vec![500, 1000, 2000],
//!     ramp: 200.0, // joins a second
//!     settle: Duration::from_secs(2),
//!     time: Duration::from_secs(10),
//! };
//! let report = run(&Plan::new("http://127.0.0.1:8080/whep", mode))?;
//! print!("{report}");
//! assert!(report.held());
//! # Ok::<(), skywave_load::Error>(())
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod agent;
mod answer;
mod churn;
mod contexts;
mod crowd;
mod error;
mod failure;
mod figures;
mod group;
mod histogram;
mod inbox;
mod join_log;
mod listener;
mod media_clock;
mod offer;
mod phase;
mod plan;
mod process;
mod protection;
mod receiver_report;
mod report;
mod reporter;
mod run;
mod seat;
mod sequence_counter;
mod steady;
mod storm;
mod stream;
mod table;
mod target;
mod timers;
mod whep;
mod window;

pub use answer::Answer;
pub use error::Error;
pub use failure::Failure;
pub use figures::Arrivals;
pub use histogram::{Histogram, Percentiles};
pub use join_log::Joins;
pub use listener::{Listener, Settings};
pub use media_clock::Arrival;
pub use offer::Offer;
pub use phase::{Milestones, Phase};
pub use plan::{Mode, Plan};
pub use process::{CpuUse, Size};
pub use protection::Protection;
pub use report::{Audience, Churn, Findings, Report, Storm};
pub use run::run;
pub use stream::Reception;
pub use window::{ServerUse, Window};
