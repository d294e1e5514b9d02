//! BGEN files beside plink2, which makes them and reads them, and beside the calls that a real one was made of.

mod common;

use std::fs;
use std::io::Read;
use std::path::Path;

use common::plink::{made_vcf, plink2};
use common::*;
use norn::formats::bgen::Bgen;
use norn::formats::bgen::header::Compression;
use norn::formats::genotypes::calls::MISSING;
use norn::formats::genotypes::{Cursor, DosageOf, GenotypeSource, Genotypes, MISSING_DOSAGE};
use norn::formats::plink::Fileset;

/// The genotypes of all variants.
fn all(file: &Bgen) -> Vec<Genotypes> {
    let mut cursor = file.bgen_cursor();
    let read = |variant| {
        let mut genotypes = Genotypes::default();
        cursor.read(variant, &mut genotypes).expect("genotypes");
        genotypes
    };
    (0..file.sites().len()).map(read).collect()
}

/// Rows of a VCF: the columns before the samples, and the samples.
fn rows(text: &str) -> Vec<(Vec<&str>, Vec<&str>)> {
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| {
        let mut columns: Vec<&str> = row.split('\t').collect();
        let samples = columns.split_off(9);
        (columns, samples)
    })
    .collect()
}

#[test]
fn dosages_are_those_that_plink2_reads() {
    if !has("plink2") {
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    let path = |name: &str| directory.path().join(name);
    for (data, make) in [
        ("unphased", "--dummy 53 40 0.1 acgt dosage-freq=0.4"),
        ("phased", "--dummy 53 40 0.1 acgt dosage-freq=0.4 phase-freq=1"),
        ("calls", "--dummy 200 30 0.1 acgt"),
    ] {
        plink2(directory.path(), &format!("{make} --seed 4 --make-pgen --out {data}"));
        for form in [
            "1.1",
            "1.2 bits=2",
            "1.2 bits=5",
            "1.2 bits=8",
            "1.2",
            "1.2 bits=11",
            "1.2 bits=15",
            "1.3 bits=8",
            "1.3",
        ] {
            plink2(directory.path(), &format!("--pfile {data} --export bgen-{form} ref-first --out x"));
            plink2(directory.path(), "--bgen x.bgen ref-first --sample x.sample --make-pgen --out y");
            let (ours, theirs) = (
                Bgen::open(&path("x.bgen"), None).expect("BGEN"),
                Fileset::open(&path("y.pgen")).expect("fileset"),
            );
            assert!(ours.sites().iter().eq(theirs.sites().iter()), "{data} {form}");
            let (mut cursor, mut read) = (theirs.plink_cursor(), Genotypes::default());
            for (variant, ours) in all(&ours).iter().enumerate() {
                cursor.read(variant, &mut read).expect("genotypes");
                assert_eq!((ours.dosages.of, ours.dosages.values.len()), (DosageOf::All, read.samples));
                for (sample, value) in ours.dosages.values.iter().enumerate() {
                    let dosage = read.dosages.iter().find(|(other, _)| *other as usize == sample);
                    let theirs = match (dosage, read.calls.get(sample)) {
                        (Some((_, dosage)), _) => Some(dosage as f64),
                        (None, MISSING) => None,
                        (None, copies) => Some(f64::from(copies) * 16_384.0),
                    };
                    let ours = *value as f64 / ours.dosages.one as f64 * 16_384.0;
                    let what =
                        format!("{data} {form} {variant} {sample}: {value} is {ours}, theirs {theirs:?}");
                    match theirs {
                        None => assert_eq!(*value, MISSING_DOSAGE, "{what}"),
                        // plink2 rounds, and here and there down.
                        Some(theirs) => assert!((ours - theirs).abs() < 1.0, "{what}"),
                    }
                }
            }
        }
    }
}

#[test]
fn chromosomes_that_men_have_once_keep_their_ploidy() {
    if !has("plink2") {
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    let path = |name: &str| directory.path().join(name);
    let vcf = "##fileformat=VCFv4.2\n##contig=<ID=X>\n##FORMAT=<ID=GT,Number=1,Type=String,Description=\"x\">\n\
        #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\tc\td\te\n\
        X\t5000000\tv\tA\tC\t.\t.\t.\tGT\t0\t1\t0/1\t1/1\t.\n";
    fs::write(path("x.vcf"), vcf).expect("VCF");
    fs::write(path("y.psam"), "#IID SEX\na 1\nb 1\nc 2\nd 2\ne 1\n").expect("samples");
    plink2(directory.path(), "--vcf x.vcf --psam y.psam --make-pgen --out x");
    plink2(directory.path(), "--pfile x --export bgen-1.2 ref-first bits=8 --out x");
    let read = all(&Bgen::open(&path("x.bgen"), None).expect("BGEN"));
    assert_eq!(read[0].ploidies, [1, 1, 2, 2, 1]);
    assert_eq!(read[0].dosages.values, [0, 255, 255, 510, MISSING_DOSAGE]);
}

#[test]
fn samples_are_named_in_the_file_or_beside_it() {
    if !has("plink2") {
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    let path = |name: &str| directory.path().join(name);
    plink2(directory.path(), "--dummy 5 3 --seed 1 --export bgen-1.2 ref-first --out x");
    plink2(directory.path(), "--dummy 5 3 --seed 1 --export bgen-1.1 ref-first --out y");
    plink2(directory.path(), "--dummy 6 3 --seed 1 --export bgen-1.1 ref-first --out z");
    let names =
        |file: Bgen| file.samples().iter().map(|sample| sample.individual.clone()).collect::<Vec<_>>();
    let expected = ["per0", "per1", "per2", "per3", "per4"];
    fs::remove_file(path("x.sample")).expect("file");
    assert_eq!(names(Bgen::open(&path("x.bgen"), None).expect("names within")), expected);
    assert_eq!(names(Bgen::open(&path("y.bgen"), None).expect("names beside")), expected);
    let given = Bgen::open(&path("x.bgen"), Some(&path("y.sample"))).expect("names given");
    assert_eq!(given.samples().phenotypes, ["PHENO1"]);
    assert_eq!(names(given), expected);
    let error = Bgen::open(&path("x.bgen"), Some(&path("z.sample"))).expect_err("others").to_string();
    assert!(error.contains("it has 5 samples, the .sample file 6"), "{error}");
    fs::remove_file(path("y.sample")).expect("file");
    let error = Bgen::open(&path("y.bgen"), None).expect_err("no names").to_string();
    assert!(error.contains("there is no .sample file"), "{error}");
}

#[test]
fn a_real_file_has_the_calls_of_its_vcf() {
    let Some(data) = shared_data() else {
        eprintln!("skipped: tiny1000G.bgen (no NORN_SHARED_DATA)");
        return;
    };
    let file = Bgen::open(&data.join("prs/tiny1000G.bgen"), None).expect("BGEN");
    let text = text(&data.join("prs/tiny1000G.vcf.gz"));
    let header = text.lines().find(|line| line.starts_with("#CHROM")).expect("header");
    let names: Vec<&str> = file.samples().iter().map(|sample| sample.individual.as_str()).collect();
    assert_eq!(names, header.split('\t').skip(9).collect::<Vec<_>>());
    let rows = rows(&text);
    assert_eq!((rows.len(), file.sites().len()), (1004, 1004));
    for ((site, ours), (columns, samples)) in file.sites().iter().zip(all(&file)).zip(rows) {
        let what = columns[..5].join(" ");
        assert_eq!(site.position.to_string(), columns[1], "{what}");
        // Of the alleles, the one that is not the reference counts, whichever stands first.
        let is_swapped = site.reference != columns[3];
        let alternate = site.alternates().next().expect("two alleles");
        assert_eq!(if is_swapped { alternate } else { site.reference }, columns[3], "{what}");
        for (number, (value, theirs)) in ours.dosages.values.iter().zip(samples).enumerate() {
            // The files themselves have others on X of these two.
            if columns[0] == "X" && ["HG03511", "NA21144"].contains(&names[number]) {
                continue;
            }
            // Of men there is one X.
            let ploidy = ours.ploidies.get(number).map_or(2, |ploidy| usize::from(*ploidy));
            assert_eq!(theirs.split(['|', '/']).count(), ploidy, "{what}: {theirs}");
            let copies = theirs.matches(if is_swapped { '0' } else { '1' }).count() as u64;
            assert_eq!(*value, copies * ours.dosages.one, "{what}: {theirs}");
        }
    }
}

/// The same file with its genotypes inflated.
fn uncompressed(path: &Path) -> Vec<u8> {
    let (whole, file) = (fs::read(path).expect("file"), Bgen::open(path, None).expect("BGEN"));
    assert_eq!(file.head().compression, Compression::Zlib);
    let (mut bytes, mut from) = (Vec::new(), 0);
    for variant in 0..file.sites().len() {
        let place = file.place(variant).expect("variant");
        let (start, end) = (place.start as usize, place.end as usize);
        bytes.extend(&whole[from..start]);
        let mut inflated = Vec::new();
        let mut reader = flate2::read::ZlibDecoder::new(&whole[start + 8..end]);
        reader.read_to_end(&mut inflated).expect("zlib");
        bytes.extend((inflated.len() as u32).to_le_bytes());
        bytes.extend(inflated);
        from = end;
    }
    let head = 4 + u32::from_le_bytes(bytes[4..8].try_into().expect("4 bytes")) as usize;
    bytes[head - 4] &= 0xfc;
    bytes
}

/// Opens a file and reads all of it.
fn is_read(path: &Path) -> Result<(), String> {
    let file = Bgen::open(path, None).map_err(|error| error.to_string())?;
    let (mut cursor, mut genotypes) = (file.cursor(), Genotypes::default());
    for variant in 0..file.sites().len() {
        cursor.read(variant, &mut genotypes).map_err(|error| error.to_string())?;
    }
    Ok(())
}

#[test]
fn cut_and_altered_files_are_refused_or_read_without_panic() {
    if !has("plink2") {
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    let path = |name: &str| directory.path().join(name);
    plink2(directory.path(), "--dummy 9 6 0.1 acgt dosage-freq=0.3 --seed 2 --make-pgen --out x");
    for (name, form) in [("other", "1.1"), ("z", "1.2 bits=8"), ("s", "1.3 bits=11")] {
        plink2(directory.path(), &format!("--pfile x --export bgen-{form} ref-first --out {name}"));
    }
    let plain = uncompressed(&path("z.bgen"));
    fs::write(path("p.bgen"), &plain).expect("file");
    let [theirs, ours] = ["z.bgen", "p.bgen"].map(|name| all(&Bgen::open(&path(name), None).expect("BGEN")));
    assert_eq!(theirs, ours);
    let files = ["other.bgen", "z.bgen", "s.bgen", "p.bgen"].map(|name| fs::read(path(name)).expect("file"));
    // The samples of layout 1 are named beside it.
    let other = path("other.bgen");
    for whole in files {
        fs::write(&other, &whole).expect("file");
        is_read(&other).expect("whole");
        for at in 0..whole.len() {
            fs::write(&other, &whole[..at]).expect("file");
            let error = is_read(&other).expect_err("cut");
            assert!(error.starts_with(&other.display().to_string()), "{error}");
            for change in [0x55, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] ^= change;
                fs::write(&other, bytes).expect("file");
                let _ = is_read(&other);
            }
        }
        fs::write(&other, [&whole[..], b"x"].concat()).expect("file");
        assert!(is_read(&other).expect_err("longer").contains("goes on behind its last variant"));
    }
}

#[test]
fn any_order_gives_the_same() {
    if !has("plink2") {
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    fs::write(directory.path().join("made.vcf"), made_vcf(3, 50, 80)).expect("VCF");
    plink2(directory.path(), "--vcf made.vcf --max-alleles 2 --export bgen-1.3 ref-first --out x");
    let file = Bgen::open(&directory.path().join("x.bgen"), None).expect("BGEN");
    let in_order = all(&file);
    let (mut cursor, mut genotypes) = (file.bgen_cursor(), Genotypes::default());
    for variant in (0..in_order.len()).rev() {
        cursor.read(variant, &mut genotypes).expect("genotypes");
        assert_eq!(genotypes, in_order[variant], "{variant}");
    }
    assert!(cursor.read(in_order.len(), &mut genotypes).is_err());
}
