//! Sums of many scores as a matrix in Apache Parquet: a row a person, a column a score.
//!
//! Columns are FID and IID (text), then SUM of each score (64-bit floats) under the score's name. A row group holds the people
//! of a pass, so that the memory is that of the sums; values are compressed by Zstandard. Source: parquet.apache.org/docs.

use std::collections::HashSet;
use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use super::summed::Summed;
use crate::formats::genotypes::samples::{Sample, SampleTable};

/// Writes the matrix, pass by pass.
pub struct MatrixWriter<W: Write + Send> {
    writer: SerializedFileWriter<W>,
}

/// Why there is no matrix.
#[derive(Debug, thiserror::Error)]
pub enum MatrixError {
    /// A name would stand for two columns.
    #[error("there would be two columns {0:?} in the matrix")]
    TwoColumns(String),
    /// The file cannot be written.
    #[error(transparent)]
    Parquet(#[from] ParquetError),
}

impl<W: Write + Send> MatrixWriter<W> {
    /// A matrix without people yet. The name of the people is kept as the key `sampleset`.
    ///
    /// # Errors
    /// Two columns would have one name, or writing fails.
    pub fn new(output: W, sampleset: &str, scores: &[String]) -> Result<Self, MatrixError> {
        let mut columns = vec![text_column("FID")?, text_column("IID")?];
        let mut known: HashSet<&str> = ["FID", "IID"].into();
        for score in scores {
            if !known.insert(score) {
                return Err(MatrixError::TwoColumns(score.clone()));
            }
            let column = Type::primitive_type_builder(score, Physical::DOUBLE);
            columns.push(Arc::new(column.with_repetition(Repetition::REQUIRED).build()?));
        }
        let schema = Type::group_type_builder("scores").with_fields(columns).build()?;
        let told = [("sampleset", sampleset), ("value", "SUM")];
        let told = told.map(|(key, value)| KeyValue::new(key.to_owned(), value.to_owned()));
        let properties = WriterProperties::builder()
            // The library's own name has its version in it, which no result may depend on.
            .set_created_by("norn".to_owned())
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
            // Sums are all different.
            .set_dictionary_enabled(false)
            .set_statistics_enabled(EnabledStatistics::None)
            .set_key_value_metadata(Some(told.to_vec()))
            .build();
        let writer = SerializedFileWriter::new(output, Arc::new(schema), Arc::new(properties))?;
        Ok(Self { writer })
    }

    /// Adds the people of some sums.
    ///
    /// # Errors
    /// Writing fails.
    pub fn add(&mut self, samples: &SampleTable, sums: &dyn Summed) -> Result<(), MatrixError> {
        let people = samples.as_slice().get(sums.people()).unwrap_or_default();
        let mut group = self.writer.next_row_group()?;
        let family = |person: &Sample| person.family.clone().unwrap_or_else(|| person.individual.clone());
        let names: [Vec<ByteArray>; 2] = [
            people.iter().map(|person| ByteArray::from(family(person).into_bytes())).collect(),
            people.iter().map(|person| ByteArray::from(person.individual.as_bytes().to_vec())).collect(),
        ];
        for names in names {
            let Some(mut column) = group.next_column()? else { break };
            column.typed::<ByteArrayType>().write_batch(&names, None, None)?;
            column.close()?;
        }
        let mut score = 0;
        while let Some(mut column) = group.next_column()? {
            column.typed::<DoubleType>().write_batch(&sums.of_score(score), None, None)?;
            column.close()?;
            score += 1;
        }
        group.close()?;
        Ok(())
    }

    /// Writes the end, and gives back what was written to.
    ///
    /// # Errors
    /// Writing fails.
    pub fn finish(self) -> Result<W, MatrixError> {
        Ok(self.writer.into_inner()?)
    }
}

fn text_column(name: &str) -> Result<TypePtr, ParquetError> {
    let column = Type::primitive_type_builder(name, Physical::BYTE_ARRAY);
    let column = column.with_logical_type(Some(LogicalType::String)).with_repetition(Repetition::REQUIRED);
    Ok(Arc::new(column.build()?))
}
