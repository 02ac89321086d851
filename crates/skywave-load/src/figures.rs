//! What is measured of arriving packets, for one group of listeners.

use serde::Serialize;

use crate::Arrival;
use crate::histogram::{Histogram, Percentiles};

/// The arrivals of a stretch of time.
#[derive(Default)]
pub(crate) struct Figures {
    gaps: Histogram,
    lateness: Histogram,
}

/// How packets arrived. Times in milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Arrivals {
    /// Between two packets of one listener.
    pub gaps: Percentiles,
    /// Behind the best line of a listener: the arrival less the time of the RTP timestamp, less
    /// the least that this was for the listener so far.
    pub lateness: Percentiles,
}

impl Figures {
    #[inline]
    pub(crate) fn record(&mut self, arrival: Arrival) {
        self.gaps.record(arrival.gap);
        self.lateness.record(arrival.lateness);
    }

    pub(crate) fn summary(&self) -> Arrivals {
        Arrivals {
            gaps: self.gaps.percentiles(),
            lateness: self.lateness.percentiles(),
        }
    }
}
