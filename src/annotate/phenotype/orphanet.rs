//! Orphanet's products 4 (what is seen in disorders) and 6 (genes of disorders), XML of Orphadata.
//!
//! Elements are known by their names and their parents' names. Files say that they are ISO-8859-1; those that are not UTF-8
//! are taken so.

use std::io::Read;
use std::path::Path;

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::Event;

use super::error::{PhenotypeError, Problem};
use super::table::DisorderRow;
use super::term::{Catalogue, Disorder, HpoTerm};
use crate::formats::text;

/// A gene of a disorder, of product 6.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GeneLink {
    /// The gene's symbol.
    pub symbol: String,
    /// Its identifier in Ensembl, where it is told.
    pub ensembl: Option<String>,
    /// The disorder, by Orphanet's number.
    pub code: u32,
}

/// Reads product 4; what is excluded has a frequency of 0 %.
///
/// # Errors
/// The file cannot be read, is no such product, or is cut off.
pub fn read_phenotypes(path: &Path, mut each: impl FnMut(&DisorderRow)) -> Result<(), PhenotypeError> {
    let (mut code, mut term, mut is_excluded, mut is_any) = (None, None, false, false);
    read(path, |element, parent, text| {
        match (parent, element) {
            ("Disorder", "OrphaCode") => code = Some(number("OrphaCode", text)?),
            ("HPO", "HPOId") => {
                term = Some(HpoTerm::parse(text).ok_or_else(|| Problem::Term(text.to_owned()))?)
            }
            // `Excluded (0%)`, in whatever language.
            ("HPOFrequency", "Name") => is_excluded = text.ends_with("(0%)"),
            (_, "HPODisorderAssociation") => {
                let code = code.ok_or(Problem::Nothing("OrphaCode"))?;
                let term = term.take().ok_or(Problem::Nothing("HPOId"))?;
                let is_excluded = std::mem::take(&mut is_excluded);
                is_any = true;
                each(&DisorderRow { disorder: orpha(code), term, is_excluded });
            }
            (_, "Disorder") => code = None,
            _ => {}
        }
        Ok(())
    })?;
    if is_any { Ok(()) } else { Err(PhenotypeError::of(path, Problem::Nothing("HPODisorderAssociation"))) }
}

/// Reads product 6. Genes that were only tested, as candidates or markers, are no genes of the disorder.
///
/// # Errors
/// The file cannot be read, is no such product, or is cut off.
pub fn read_genes(path: &Path, mut each: impl FnMut(&GeneLink)) -> Result<(), PhenotypeError> {
    let (mut code, mut is_any, mut is_tested) = (None, false, false);
    let (mut link, mut source) = (GeneLink::default(), String::new());
    read(path, |element, parent, text| {
        match (parent, element) {
            ("Disorder", "OrphaCode") => code = Some(number("OrphaCode", text)?),
            ("Gene", "Symbol") => text.clone_into(&mut link.symbol),
            ("ExternalReference", "Source") => text.clone_into(&mut source),
            ("ExternalReference", "Reference") if source == "Ensembl" => link.ensembl = Some(text.to_owned()),
            ("DisorderGeneAssociationType", "Name") => is_tested = text.ends_with("tested in"),
            (_, "DisorderGeneAssociation") => {
                let mut link = std::mem::take(&mut link);
                link.code = code.ok_or(Problem::Nothing("OrphaCode"))?;
                if link.symbol.is_empty() {
                    return Err(Problem::NoSymbol);
                }
                is_any = true;
                if !std::mem::take(&mut is_tested) {
                    each(&link);
                }
            }
            (_, "Disorder") => code = None,
            _ => {}
        }
        Ok(())
    })?;
    if is_any { Ok(()) } else { Err(PhenotypeError::of(path, Problem::Nothing("DisorderGeneAssociation"))) }
}

/// A disorder of Orphanet.
pub fn orpha(code: u32) -> Disorder {
    Disorder { catalogue: Catalogue::Orpha, code }
}

fn number(element: &'static str, text: &str) -> Result<u32, Problem> {
    text.parse().map_err(|_| Problem::Content { element, text: text.to_owned() })
}

/// Calls `end` with each element that ends, its parent and its text.
fn read(path: &Path, end: impl FnMut(&str, &str, &str) -> Result<(), Problem>) -> Result<(), PhenotypeError> {
    let mut bytes = Vec::new();
    let mut file = text::open(path).map_err(PhenotypeError::io(path))?;
    file.read_to_end(&mut bytes).map_err(PhenotypeError::io(path))?;
    parse(bytes, path, end)
}

fn parse(
    bytes: Vec<u8>,
    path: &Path,
    mut end: impl FnMut(&str, &str, &str) -> Result<(), Problem>,
) -> Result<(), PhenotypeError> {
    let document = match String::from_utf8(bytes) {
        Ok(document) => document,
        // Of ISO-8859-1 each byte is the letter of its number.
        Err(other) => other.as_bytes().iter().map(|byte| char::from(*byte)).collect(),
    };
    let mut reader = Reader::from_str(&document);
    let (mut names, mut content): (Vec<String>, _) = (Vec::new(), String::new());
    loop {
        let event = reader.read_event();
        let place = if event.is_err() { reader.error_position() } else { reader.buffer_position() };
        let problem = |what| PhenotypeError::at(path, line(&document, place), what);
        match event.map_err(|error| problem(Problem::Xml(error.to_string())))? {
            Event::Start(start) => {
                names.push(start.name().as_ref().to_owned());
                content.clear();
            }
            Event::Text(words) => content.push_str(&words),
            Event::CData(words) => content.push_str(&words),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(letter)) => content.push(letter),
                _ => content.push_str(resolve_xml_entity(&reference).unwrap_or_default()),
            },
            Event::End(_) => {
                let name = names.pop().unwrap_or_default();
                let parent = names.last().map_or("", String::as_str);
                end(&name, parent, content.trim()).map_err(problem)?;
                content.clear();
            }
            Event::Eof if names.is_empty() => return Ok(()),
            Event::Eof => {
                return Err(problem(Problem::Xml(format!("it ends within <{}>", names.join("><")))));
            }
            _ => {}
        }
    }
}

fn line(document: &str, place: u64) -> u64 {
    let before = document.as_bytes().get(..place as usize).unwrap_or(document.as_bytes());
    1 + before.iter().filter(|byte| **byte == b'\n').count() as u64
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(bytes: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        file
    }

    fn phenotypes(bytes: &[u8]) -> Result<Vec<(u32, u32, bool)>, String> {
        let (file, mut rows) = (written(bytes), Vec::new());
        let read =
            read_phenotypes(file.path(), |row| rows.push((row.disorder.code, row.term.0, row.is_excluded)));
        read.map(|()| rows)
            .map_err(|error| error.to_string().replace(&file.path().display().to_string(), "xml"))
    }

    fn genes(bytes: &[u8]) -> Result<Vec<(String, Option<String>, u32)>, String> {
        let (file, mut rows) = (written(bytes), Vec::new());
        let read =
            read_genes(file.path(), |link| rows.push((link.symbol.clone(), link.ensembl.clone(), link.code)));
        read.map(|()| rows)
            .map_err(|error| error.to_string().replace(&file.path().display().to_string(), "xml"))
    }

    fn product_4() -> String {
        let row = |term, frequency| {
            format!(
                "<HPODisorderAssociation id=\"1\"><HPO id=\"2\"><HPOId>{term}</HPOId><HPOTerm>x &lt; y</HPOTerm></HPO>\n\
                 <HPOFrequency id=\"3\"><Name lang=\"en\">{frequency}</Name></HPOFrequency><DiagnosticCriteria/>\
                 </HPODisorderAssociation>\n"
            )
        };
        format!(
            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<JDBOR><HPODisorderSetStatusList count=\"2\">\n\
             <HPODisorderSetStatus id=\"1\"><Disorder id=\"2\"><OrphaCode>58</OrphaCode><Name lang=\"en\">Alexander</Name>\n\
             <HPODisorderAssociationList count=\"2\">{}{}</HPODisorderAssociationList></Disorder></HPODisorderSetStatus>\n\
             <HPODisorderSetStatus id=\"2\"><Disorder id=\"3\"><OrphaCode>61</OrphaCode>\n\
             <HPODisorderAssociationList count=\"1\">{}</HPODisorderAssociationList></Disorder></HPODisorderSetStatus>\n\
             </HPODisorderSetStatusList></JDBOR>\n",
            row("HP:0000256", "Very frequent (99-80%)"),
            row("HP:0001249", "Excluded (0%)"),
            row("HP:0001263", "Obligate (100%)"),
        )
    }

    fn product_6() -> String {
        let row = |symbol, kind| {
            format!(
                "<DisorderGeneAssociation><Gene id=\"1\"><Name lang=\"en\">x</Name><Symbol>{symbol}</Symbol>\
                 <SynonymList count=\"1\"><Synonym>Y</Synonym></SynonymList><ExternalReferenceList count=\"2\">\
                 <ExternalReference id=\"1\"><Source>HGNC</Source><Reference>12</Reference></ExternalReference>\
                 <ExternalReference id=\"2\"><Source>Ensembl</Source><Reference>ENSG{symbol}</Reference></ExternalReference>\
                 </ExternalReferenceList></Gene><DisorderGeneAssociationType id=\"1\"><Name lang=\"en\">{kind}</Name>\
                 </DisorderGeneAssociationType></DisorderGeneAssociation>\n"
            )
        };
        format!(
            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<JDBOR><DisorderList><Disorder id=\"2\">\
             <OrphaCode>58</OrphaCode>\n<DisorderGeneAssociationList count=\"3\">{}{}{}</DisorderGeneAssociationList>\
             </Disorder></DisorderList></JDBOR>\n",
            row("GFAP", "Disease-causing germline mutation(s) in"),
            row("CAND", "Candidate gene tested in"),
            row("MARK", "Biomarker tested in"),
        )
    }

    #[test]
    fn products_are_read() {
        let expected = [(58, 256, false), (58, 1249, true), (61, 1263, false)];
        assert_eq!(phenotypes(product_4().as_bytes()).unwrap(), expected);
        // A letter of ISO-8859-1 that is no UTF-8.
        let mut latin = product_4().into_bytes();
        let place = product_4().find("Alexander").unwrap();
        latin[place] = 0xe9;
        assert_eq!(phenotypes(&latin).unwrap(), expected);
        assert_eq!(
            genes(product_6().as_bytes()).unwrap(),
            [("GFAP".to_owned(), Some("ENSGGFAP".to_owned()), 58)]
        );
    }

    #[test]
    fn what_is_broken_is_told_with_its_line() {
        let (four, six) = (product_4(), product_6());
        assert_eq!(
            phenotypes(six.as_bytes()).unwrap_err(),
            "xml: there is no HPODisorderAssociation in it: is it another file?"
        );
        assert_eq!(
            genes(four.as_bytes()).unwrap_err(),
            "xml: there is no DisorderGeneAssociation in it: is it another file?"
        );
        for (from, to, message) in [
            ("HP:0000256", "HP:256", "xml, line 4: \"HP:256\" is no HPO term"),
            ("<OrphaCode>61", "<OrphaCode>x", "xml, line 9: <OrphaCode> has \"x\""),
            ("<OrphaCode>61</OrphaCode>", "", "xml, line 11: there is no OrphaCode in it"),
            ("</HPOFrequency>", "</HPO>", "xml, line 5: "),
        ] {
            let told = phenotypes(four.replacen(from, to, 1).as_bytes()).unwrap_err();
            assert!(told.starts_with(message), "{told}");
        }
        let no_symbol = six.replacen("<Symbol>GFAP</Symbol>", "", 1);
        assert_eq!(genes(no_symbol.as_bytes()).unwrap_err(), "xml, line 3: it has no gene symbol");
    }

    #[test]
    fn a_cut_file_is_refused() {
        let four = product_4();
        for cut in 0..four.trim_end().len() {
            assert!(phenotypes(&four.as_bytes()[..cut]).is_err(), "{cut}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[<>/&#;!\\[\\]A-Za-z0-9 \"=-]{0,200}") {
            let _ = parse(bytes, Path::new("xml"), |_, _, _| Ok(()));
            let _ = parse(text.into_bytes(), Path::new("xml"), |_, _, _| Ok(()));
            let mut altered = product_4().into_bytes();
            let place = altered.len() / 2;
            altered[place] ^= 1;
            let _ = parse(altered, Path::new("xml"), |_, _, _| Ok(()));
        }
    }
}
