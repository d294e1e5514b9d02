//! The names of the functions, and what each gives.

/// A function of bcftools' expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// Over all values: of a site, and of all its samples.
    All(Summary),
    /// Over the values of each sample (`SMPL_` or `s`).
    EachSample(Summary),
    /// `ABS`.
    Abs,
    /// `STRLEN`.
    TextLength,
    /// `PHRED`: -10 log10.
    Phred,
    /// `BINOM`: two-sided, of one half.
    Binomial,
    /// `FISHER`: two-sided.
    Fisher,
    /// `N_PASS`: how many samples pass.
    PassCount,
    /// `F_PASS`: their fraction.
    PassFraction,
}

/// What is made of several values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Summary {
    /// `MAX`.
    Maximum,
    /// `MIN`.
    Minimum,
    /// `AVG` and `MEAN`.
    Mean,
    /// `MEDIAN`.
    Median,
    /// `STDEV`, of the population.
    Deviation,
    /// `SUM`.
    Sum,
    /// `COUNT`.
    Count,
}

impl Function {
    /// By its name, in any case.
    pub fn parse(name: &[u8]) -> Option<Self> {
        let upper = name.to_ascii_uppercase();
        Some(match upper.as_slice() {
            b"ABS" => Self::Abs,
            b"STRLEN" => Self::TextLength,
            b"PHRED" => Self::Phred,
            b"BINOM" => Self::Binomial,
            b"FISHER" => Self::Fisher,
            b"N_PASS" => Self::PassCount,
            b"F_PASS" => Self::PassFraction,
            name => match Summary::parse(name) {
                Some(summary) => Self::All(summary),
                None => {
                    let rest = name.strip_prefix(b"SMPL_").or_else(|| name.strip_prefix(b"S"))?;
                    Self::EachSample(Summary::parse(rest)?)
                }
            },
        })
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        use Summary::*;
        match self {
            Self::All(Maximum) => "MAX",
            Self::All(Minimum) => "MIN",
            Self::All(Mean) => "MEAN",
            Self::All(Median) => "MEDIAN",
            Self::All(Deviation) => "STDEV",
            Self::All(Sum) => "SUM",
            Self::All(Count) => "COUNT",
            Self::EachSample(Maximum) => "sMAX",
            Self::EachSample(Minimum) => "sMIN",
            Self::EachSample(Mean) => "sMEAN",
            Self::EachSample(Median) => "sMEDIAN",
            Self::EachSample(Deviation) => "sSTDEV",
            Self::EachSample(Sum) => "sSUM",
            Self::EachSample(Count) => "sCOUNT",
            Self::Abs => "ABS",
            Self::TextLength => "STRLEN",
            Self::Phred => "PHRED",
            Self::Binomial => "BINOM",
            Self::Fisher => "FISHER",
            Self::PassCount => "N_PASS",
            Self::PassFraction => "F_PASS",
        }
    }

    /// Takes a list of tags, not an expression.
    pub fn takes_list(self) -> bool {
        matches!(self, Self::Binomial | Self::Fisher)
    }
}

impl Summary {
    fn parse(upper: &[u8]) -> Option<Self> {
        Some(match upper {
            b"MAX" => Self::Maximum,
            b"MIN" => Self::Minimum,
            b"AVG" | b"MEAN" => Self::Mean,
            b"MEDIAN" => Self::Median,
            b"STDEV" => Self::Deviation,
            b"SUM" => Self::Sum,
            b"COUNT" => Self::Count,
            _ => return None,
        })
    }
}
