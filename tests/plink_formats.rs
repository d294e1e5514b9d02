//! PLINK filesets beside plink2, which makes them and says in VCF what is in them: every genotype, its phase and its dosage.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use common::made::Random;
use common::plink::{made_vcf, plink2};
use common::*;
use norn::formats::genotypes::calls::MISSING;
use norn::formats::genotypes::{Cursor, DosageOf, GenotypeSource, Genotypes, MISSING_DOSAGE};
use norn::formats::plink::Fileset;
use norn::formats::plink::layout::RecordType;

const ONE: f64 = 16_384.0;

/// A call of ours as alleles with their phase: in the order of the chromosomes where that is known.
fn call(genotypes: &Genotypes, sample: u32) -> Option<(u32, u32, bool)> {
    let others = &genotypes.others;
    let (low, high) = match genotypes.calls.get(sample as usize) {
        0 => (0, 0),
        1 => {
            let found = others.with_reference.iter().find(|(other, _)| *other == sample);
            (0, found.map_or(1, |(_, allele)| *allele))
        }
        2 => {
            let found = others.without_reference.iter().find(|(other, ..)| *other == sample);
            found.map_or((1, 1), |(_, low, high)| (*low, *high))
        }
        _ => return None,
    };
    let phase = genotypes.phase.calls.iter().find(|(other, _)| *other == sample);
    Some(match phase {
        Some((_, true)) => (high, low, true),
        Some((_, false)) => (low, high, true),
        None => (low, high, false),
    })
}

/// Holds one sample against what plink2 wrote as GT, DS and HDS.
fn assert_sample(genotypes: &Genotypes, sample: u32, theirs: &str, format: &str, what: &str) {
    let what = format!("{what}, sample {sample}: {theirs}");
    let field = |name: &str| {
        let place = format.split(':').position(|field| field == name)?;
        theirs.split(':').nth(place).filter(|value| *value != ".")
    };
    let gt = field("GT").expect("GT");
    let ours = call(genotypes, sample);
    let is_phased = gt.contains('|');
    match gt.split_once(['|', '/']) {
        Some((a, b)) if a != "." => {
            let (a, b): (u32, u32) = (a.parse().expect("allele"), b.parse().expect("allele"));
            let expected = if is_phased && a != b { (a, b, true) } else { (a.min(b), a.max(b), false) };
            assert_eq!(ours, Some(expected), "{what}");
        }
        _ => assert_eq!(ours, None, "{what}"),
    }
    let dosage = genotypes.dosages.iter().find(|(other, _)| *other == sample).map(|(_, value)| value);
    if let Some(ds) = field("DS") {
        let ds: f64 = ds.parse().expect("DS");
        assert_eq!(dosage, Some((ds * ONE).round() as u64), "{what}");
    } else if let Some(dosage) = dosage {
        assert_eq!(Some(dosage), ours.map(|(a, b, _)| u64::from(a + b) * 16_384), "{what}");
    }
    if let (Some(hds), Some(dosage)) = (field("HDS"), dosage) {
        let hds: Vec<f64> = hds.split(',').map(|value| value.parse().expect("HDS")).collect();
        let explicit = genotypes.phase.dosages.iter().find(|(other, _)| *other == sample);
        let difference = explicit.map(|(_, difference)| *difference).or_else(|| {
            let (first, second, is_phased) = ours?;
            let most = 16_384 - (16_384 - dosage as i32).abs();
            is_phased.then_some(if first > second { most } else { -most })
        });
        match hds[..] {
            [first, second] => {
                let theirs = ((first - second) * ONE).round() as i32;
                let ours = difference.unwrap_or_else(|| panic!("{what}: no phase"));
                assert!((ours - theirs).abs() <= 1, "{what}: {ours} {theirs}");
            }
            _ => assert_eq!(difference, None, "{what}"),
        }
    }
}

/// Reads a fileset and holds every genotype against the VCF that plink2 wrote of it. Gives the types of records.
fn assert_like_vcf(genotypes: &Path, vcf: &Path) -> BTreeSet<u8> {
    let files = Fileset::open(genotypes).expect("fileset");
    let text = fs::read_to_string(vcf).expect("VCF");
    let rows: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(files.sites().len(), rows.len());
    let header = text.lines().find(|line| line.starts_with("#CHROM")).expect("header");
    let names: Vec<&str> = header.split('\t').skip(9).collect();
    let ours: Vec<&str> = files.samples().iter().map(|sample| sample.individual.as_str()).collect();
    assert_eq!(ours, names);
    let (mut cursor, mut read, mut kinds) =
        (files.plink_cursor().with_phase(), Genotypes::default(), BTreeSet::new());
    for (variant, row) in rows.iter().enumerate() {
        let columns: Vec<&str> = row.split('\t').collect();
        let what = format!("{} variant {variant}", genotypes.display());
        let site = files.sites().get(variant).expect("site");
        let alternates: Vec<&str> = site.alternates().collect();
        let position = site.position.to_string();
        assert_eq!(
            [site.contig, &position, site.id, site.reference, &alternates.join(",")],
            columns[..5],
            "{what}"
        );
        cursor.read(variant, &mut read).expect("genotypes");
        for (sample, theirs) in (0u32..).zip(&columns[9..]) {
            assert_sample(&read, sample, theirs, columns[8], &what);
        }
        if let Some(RecordType::Plink2(kind)) = files.layout().kind(variant) {
            kinds.insert(kind);
        }
    }
    kinds
}

#[test]
fn every_type_of_record_is_what_plink2_says() {
    if !has("plink2") {
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    let path = |name: &str| directory.path().join(name);
    let mut kinds = BTreeSet::new();
    for (name, make) in [
        ("one", "--dummy 1 40 0.1 acgt"),
        ("few", "--dummy 5 60 0.1 acgt dosage-freq=0.5 phase-freq=0.4"),
        ("plain", "--dummy 257 60 0.01,0.5 acgt"),
        ("dosages", "--dummy 300 60 0.05 acgt dosage-freq=0.3"),
        ("rare", "--dummy 300 40 0.05 acgt dosage-freq=0.02 phase-freq=0.9"),
        ("dense", "--dummy 100 40 0 acgt dosage-freq=1"),
        ("phased", "--dummy 260 50 0.05 acgt dosage-freq=0.4 phase-freq=0.7"),
    ] {
        plink2(directory.path(), &format!("{make} --seed 3 --make-pgen vzs --out {name}"));
        plink2(directory.path(), &format!("--pfile {name} vzs --export vcf vcf-dosage=HDS --out {name}"));
        kinds.extend(assert_like_vcf(&path(&format!("{name}.pgen")), &path(&format!("{name}.vcf"))));
    }
    for (name, people, variants) in [("a", 3, 100), ("b", 400, 300), ("c", 1000, 150), ("d", 66_000, 12)] {
        fs::write(path("made.vcf"), made_vcf(people as u64, people, variants)).expect("VCF");
        plink2(directory.path(), &format!("--vcf made.vcf --make-pgen --out {name}"));
        // Held against what went in: Debian's plink2 writes unphased calls of two alternate alleles as phased ones.
        kinds.extend(assert_like_vcf(&path(&format!("{name}.pgen")), &path("made.vcf")));
    }
    // All ways to store calls (but for 5, which plink2 does not write), and all tracks, have been there.
    let calls: BTreeSet<u8> = kinds.iter().map(|kind| kind & 7).collect();
    assert_eq!(calls, [0, 1, 2, 3, 4, 6, 7].into(), "{kinds:?}");
    for bits in [0x08, 0x10, 0x18, 0x20, 0x60, 0x80] {
        assert!(kinds.iter().any(|kind| kind & bits == bits), "{bits:#x} {kinds:?}");
    }
}

/// The calls of all samples in another file of the same genotypes.
fn all(files: &Fileset) -> Vec<Genotypes> {
    let mut cursor = files.plink_cursor().with_phase();
    let read = |variant| {
        let mut genotypes = Genotypes::default();
        cursor.read(variant, &mut genotypes).expect("genotypes");
        genotypes
    };
    (0..files.sites().len()).map(read).collect()
}

#[test]
fn a_bed_and_a_fixed_pgen_have_the_same_calls() {
    if !has("plink2") {
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    let make = "--dummy 101 500 0.1 acgt --seed 1";
    plink2(directory.path(), &format!("{make} --make-pgen --out x"));
    plink2(directory.path(), "--pfile x --make-bed --out y");
    plink2(directory.path(), "--pfile x --make-pgen format=2 --out z");
    plink2(directory.path(), "--pfile x --make-bpgen vzs --out w");
    plink2(directory.path(), "--bfile y --export vcf --out y");
    assert_like_vcf(&directory.path().join("y.bed"), &directory.path().join("y.vcf"));
    let open = |name: &str| Fileset::open(&directory.path().join(name)).expect("fileset");
    let (first, mut packed, mut theirs) = (all(&open("x.pgen")), Vec::new(), Vec::new());
    for name in ["y.bed", "z.pgen", "w.pgen"] {
        for (ours, other) in first.iter().zip(all(&open(name))) {
            ours.calls.packed(&mut packed);
            other.calls.packed(&mut theirs);
            assert_eq!(packed, theirs, "{name}");
        }
    }
    let samples = open("y.bed");
    let samples = samples.samples();
    assert_eq!((samples.len(), samples.has_families, samples.phenotypes.len()), (101, true, 1));
}

#[test]
fn any_order_gives_the_same() {
    if !has("plink2") {
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    fs::write(directory.path().join("made.vcf"), made_vcf(5, 200, 400)).expect("VCF");
    plink2(directory.path(), "--vcf made.vcf --make-pgen --out x");
    // More variants than a block holds.
    plink2(directory.path(), "--dummy 4 66000 0.1 acgt --seed 2 --make-pgen --out y");
    for name in ["x.pgen", "y.pgen"] {
        let files = Fileset::open(&directory.path().join(name)).expect("fileset");
        let in_order = all(&files);
        let (mut random, mut genotypes) = (Random::new(1), Genotypes::default());
        let mut cursor = files.plink_cursor().with_phase();
        for _ in 0..500 {
            let variant = random.below(in_order.len());
            cursor.read(variant, &mut genotypes).expect("genotypes");
            assert_eq!(genotypes, in_order[variant], "{name} {variant}");
        }
        assert!(cursor.read(in_order.len(), &mut genotypes).is_err());
    }
}

/// Where the records of a file with types and lengths begin, as its header says for its only block.
fn records(pgen: &[u8]) -> usize {
    u64::from_le_bytes(pgen[12..20].try_into().expect("8 bytes")) as usize
}

#[test]
fn an_index_beside_and_extensions_change_nothing() {
    if !has("plink2") {
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    let path = |name: &str| directory.path().join(name);
    fs::write(path("made.vcf"), made_vcf(9, 150, 200)).expect("VCF");
    plink2(directory.path(), "--vcf made.vcf --make-pgen --out x");
    let whole = fs::read(path("x.pgen")).expect("file");
    let expected = all(&Fileset::open(&path("x.pgen")).expect("fileset"));
    let begin = records(&whole);
    let tables = [path("x.pvar"), path("x.psam")];
    let read = |name: &str| {
        let opened = Fileset::open_parts(&path(name), &tables[0], &tables[1]);
        opened.map(|files| all(&files))
    };
    // The header apart, its records at the beginning of the file.
    for (mode, of_index) in [(0x20, 0x30), (0x21, 0x31)] {
        let mut index = whole[..begin].to_vec();
        index[2] = of_index;
        index[12..20].copy_from_slice(&3u64.to_le_bytes());
        let bytes = [&[0x6c, 0x1b, mode], &whole[begin..]].concat();
        fs::write(path("apart.pgen"), bytes).expect("file");
        fs::write(path("apart.pgen.pgi"), &index).expect("file");
        assert_eq!(read("apart.pgen").expect("fileset"), expected);
        index[2] = 0x10;
        fs::write(path("apart.pgen.pgi"), index).expect("file");
        let error = read("apart.pgen").expect_err("another file's index").to_string();
        assert!(error.contains("apart.pgen.pgi"), "{error}");
    }
    // A writer's name behind the header, a footer behind the records.
    let mut extended = whole.clone();
    extended[2] = 0x11;
    extended[12..20].copy_from_slice(&(begin as u64 + 7).to_le_bytes());
    extended.splice(begin..begin, [2, 0, 4, b't', b'e', b's', b't']);
    extended.extend([1, 2, 3]);
    fs::write(path("extended.pgen"), extended).expect("file");
    assert_eq!(read("extended.pgen").expect("fileset"), expected);
}

/// Fixed forms with dosages of all samples, which plink2 reads but does not write.
#[test]
fn fixed_forms_with_dosages_are_what_plink2_reads() {
    if !has("plink2") {
        return;
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    let path = |name: &str| directory.path().join(name);
    let (people, variants) = (21usize, 30usize);
    plink2(directory.path(), &format!("--dummy {people} {variants} 0 acgt --seed 7 --make-pgen --out x"));
    for (name, mode) in [("three", 3u8), ("four", 4)] {
        let mut random = Random::new(u64::from(mode));
        let mut bytes = vec![0x6c, 0x1b, mode];
        bytes.extend((variants as u32).to_le_bytes());
        bytes.extend((people as u32).to_le_bytes());
        bytes.push(0x40);
        for _ in 0..variants {
            let values: Vec<Option<u16>> =
                (0..people).map(|_| (random.below(5) > 0).then(|| random.below(32_769) as u16)).collect();
            let mut packed = vec![0u8; people.div_ceil(4)];
            for (sample, value) in values.iter().enumerate() {
                let code = match value {
                    Some(value) if value % 16_384 < 1000 => (value / 16_384) as u8,
                    _ => MISSING,
                };
                packed[sample / 4] |= code << (sample % 4 * 2);
            }
            bytes.extend(packed);
            values.iter().for_each(|value| bytes.extend(value.unwrap_or(65_535).to_le_bytes()));
            if mode == 4 {
                for value in values {
                    let most = value.map(|value| 16_384 - (16_384 - i32::from(value)).abs());
                    let difference = most.map_or(i16::MIN, |most| {
                        (random.below(most as usize / 2 * 2 + 1) as i32 - most / 2) as i16
                    });
                    bytes.extend(difference.to_le_bytes());
                }
            }
        }
        fs::write(path(&format!("{name}.pgen")), bytes).expect("file");
        for table in ["pvar", "psam"] {
            fs::copy(path(&format!("x.{table}")), path(&format!("{name}.{table}"))).expect("table");
        }
        plink2(directory.path(), &format!("--pfile {name} --export vcf vcf-dosage=HDS --out {name}"));
        assert_like_vcf(&path(&format!("{name}.pgen")), &path(&format!("{name}.vcf")));
        let files = Fileset::open(&path(&format!("{name}.pgen"))).expect("fileset");
        let read = all(&files);
        assert!(read.iter().all(|one| one.dosages.of == DosageOf::All && one.dosages.values.len() == people));
        assert!(read.iter().any(|one| one.dosages.values.contains(&MISSING_DOSAGE)));
    }
}

/// Opens a fileset and reads all of it.
fn is_read(genotypes: &Path, tables: &[PathBuf; 2]) -> Result<(), String> {
    let files = Fileset::open_parts(genotypes, &tables[0], &tables[1]).map_err(|error| error.to_string())?;
    let (mut cursor, mut genotypes) = (files.plink_cursor().with_phase(), Genotypes::default());
    for variant in 0..files.sites().len() {
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
    fs::write(path("made.vcf"), made_vcf(2, 40, 30)).expect("VCF");
    plink2(directory.path(), "--vcf made.vcf --make-pgen --out x");
    plink2(
        directory.path(),
        "--dummy 30 20 0.1 acgt dosage-freq=0.3 phase-freq=0.5 --seed 8 --make-pgen --out y",
    );
    plink2(directory.path(), "--dummy 30 20 0.1 acgt --seed 9 --make-bed --out z");
    for (name, variants, samples) in
        [("x.pgen", "x.pvar", "x.psam"), ("y.pgen", "y.pvar", "y.psam"), ("z.bed", "z.bim", "z.fam")]
    {
        let (tables, whole) = ([path(variants), path(samples)], fs::read(path(name)).expect("file"));
        is_read(&path(name), &tables).expect("whole");
        let other = path("other");
        for at in 0..whole.len() {
            fs::write(&other, &whole[..at]).expect("file");
            let error = is_read(&other, &tables).expect_err("cut");
            assert!(error.starts_with(&other.display().to_string()), "{error}");
            let mut bytes = whole.clone();
            bytes[at] ^= 0x55;
            fs::write(&other, bytes).expect("file");
            let _ = is_read(&other, &tables);
        }
    }
    // Tables of another fileset.
    let error = is_read(&path("x.pgen"), &[path("y.pvar"), path("x.psam")]).expect_err("variants");
    assert!(error.contains("it has 30 variants, the table 20"), "{error}");
    let error = is_read(&path("y.pgen"), &[path("y.pvar"), path("x.psam")]).expect_err("samples");
    assert!(error.contains("it has 30 samples, the table 40"), "{error}");
    let error = is_read(&path("z.bed"), &[path("z.bim"), path("x.psam")]).expect_err("samples");
    assert!(error.contains("40 samples and 20 variants would have 203"), "{error}");
    assert!(Fileset::open(&path("none.pgen")).is_err());
    fs::write(path("alone.pgen"), "").expect("file");
    let error = Fileset::open(&path("alone.pgen")).expect_err("no tables").to_string();
    assert!(error.contains("no .pvar or .bim"), "{error}");
}
