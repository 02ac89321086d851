//! Samples as programs have them: 16-bit integers or floating point, interleaved.

/// Borrowed interleaved PCM, made `from` a slice, an array or a vector of `i16` or `f32`.
///
/// ```
/// use skywave_audio::PcmSamples;
///
/// let samples = vec![0_i16; 480];
/// assert_eq!(PcmSamples::from(&samples).len(), 480);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum PcmSamples<'a> {
    /// Full scale is -32,768 to 32,767.
    I16(&'a [i16]),
    /// Full scale is -1.0 to 1.0; what lies beyond is clipped, and what is no finite number is 0.
    F32(&'a [f32]),
}

impl<'a> PcmSamples<'a> {
    /// How many values there are, all channels counted.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::I16(values) => values.len(),
            Self::F32(values) => values.len(),
        }
    }

    /// True if there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first `values` of them, and the rest.
    ///
    /// # Panics
    /// If there are fewer.
    #[must_use]
    pub fn split_at(self, values: usize) -> (Self, Self) {
        match self {
            Self::I16(all) => {
                let (first, rest) = all.split_at(values);
                (Self::I16(first), Self::I16(rest))
            }
            Self::F32(all) => {
                let (first, rest) = all.split_at(values);
                (Self::F32(first), Self::F32(rest))
            }
        }
    }

    /// Appends all values, finite and within -1.0..=1.0.
    pub(crate) fn append_to(self, output: &mut Vec<f32>) {
        match self {
            Self::I16(values) => {
                output.extend(values.iter().map(|&value| f32::from(value) / 32_768.0));
            }
            Self::F32(values) => output.extend(values.iter().copied().map(in_range)),
        }
    }
}

/// Clips; what is no finite number becomes 0, for it would stay in filters.
pub(crate) fn in_range(value: f32) -> f32 {
    if value.is_finite() {
        value.clamp(-1.0, 1.0)
    } else {
        0.0
    }
}

impl<'a> From<&'a [i16]> for PcmSamples<'a> {
    fn from(values: &'a [i16]) -> Self {
        Self::I16(values)
    }
}

impl<'a> From<&'a [f32]> for PcmSamples<'a> {
    fn from(values: &'a [f32]) -> Self {
        Self::F32(values)
    }
}

impl<'a> From<&'a Vec<i16>> for PcmSamples<'a> {
    fn from(values: &'a Vec<i16>) -> Self {
        Self::I16(values)
    }
}

impl<'a> From<&'a Vec<f32>> for PcmSamples<'a> {
    fn from(values: &'a Vec<f32>) -> Self {
        Self::F32(values)
    }
}

impl<'a, const N: usize> From<&'a [i16; N]> for PcmSamples<'a> {
    fn from(values: &'a [i16; N]) -> Self {
        Self::I16(values)
    }
}

impl<'a, const N: usize> From<&'a [f32; N]> for PcmSamples<'a> {
    fn from(values: &'a [f32; N]) -> Self {
        Self::F32(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(samples: PcmSamples<'_>) -> Vec<f32> {
        let mut output = Vec::new();
        samples.append_to(&mut output);
        output
    }

    #[test]
    fn integers_are_scaled_and_floats_made_finite_and_clipped() {
        let integers = [i16::MIN, -16_384, 0, 16_384];
        assert_eq!(floats((&integers).into()), [-1.0, -0.5, 0.0, 0.5]);
        let wild = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 3.0, -1.5, 0.25];
        assert_eq!(floats((&wild).into()), [0.0, 0.0, 0.0, 1.0, -1.0, 0.25]);
    }
}
