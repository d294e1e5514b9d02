#!/usr/bin/env nextflow
// From a sample sheet to results (Nextflow 25.04 or later, DSL2).
//   nextflow run workflows/nextflow -profile slurm --samples samples.tsv --reference GRCh38.fa --outdir results
// nextflow.config says what can be set.

include { NORN_QC           } from './modules/norn/qc/main'
include { NORN_RELATE       } from './modules/norn/relate/main'
include { NORN_VARIANTSNORM } from './modules/norn/variantsnorm/main'
include { NORN_VARIANTSRUN  } from './modules/norn/variantsrun/main'
include { NORN_VARIANTSSTATS } from './modules/norn/variantsstats/main'
include { NORN_DBGENES      } from './modules/norn/dbgenes/main'
include { NORN_ANNOTATE     } from './modules/norn/annotate/main'
include { NORN_PRSSCORE     } from './modules/norn/prsscore/main'

// A file that may be left out: [] stands for none.
def optional(name) {
    return name ? file(name, checkIfExists: true) : []
}

workflow {
    main:
    def folder = file(params.samples).parent
    def fasta = file(params.reference, checkIfExists: true)
    reference = channel.value([[id: fasta.baseName], fasta, files("${params.reference}.{fai,gzi}")])
    rows = channel.fromPath(params.samples, checkIfExists: true).splitCsv(header: true, sep: '\t')

    // Paths of the sheet are relative to the sheet.
    reads = rows
        .filter { row -> row.cram || row.bam }
        .map { row ->
            def alignment = folder.resolve(row.cram ?: row.bam)
            [[id: row.sample], alignment, file("${alignment}.${row.cram ? 'crai' : 'bai'}", checkIfExists: true)]
        }
    calls = rows
        .filter { row -> row.vcf }
        .map { row -> [[id: row.sample], folder.resolve(row.vcf), []] }

    NORN_QC(reads, reference, optional(params.sites), optional(params.thresholds), optional(params.targets))
    fingerprints = NORN_QC.out.fingerprint
        .map { _meta, fingerprint -> fingerprint }
        .collect()
        .map { all -> [[id: 'relate'], all] }
    NORN_RELATE(fingerprints, optional(params.ped))

    if (params.chain) {
        NORN_VARIANTSRUN(calls, reference, file(params.chain, checkIfExists: true))
        ready = NORN_VARIANTSRUN.out.vcf.join(NORN_VARIANTSRUN.out.index)
    }
    else {
        NORN_VARIANTSNORM(calls, reference)
        ready = NORN_VARIANTSNORM.out.vcf.join(NORN_VARIANTSNORM.out.index)
    }
    NORN_VARIANTSSTATS(ready, reference)

    if (params.gff) {
        NORN_DBGENES(channel.value([[id: 'genes'], file(params.gff, checkIfExists: true)]), reference)
        genes = NORN_DBGENES.out.genes.map { _meta, database -> database }
        sources = params.sources ? files(params.sources) : []
        NORN_ANNOTATE(ready, reference, genes, sources)
    }

    if (params.genotypes) {
        cohort = channel.value([[id: 'cohort'], files(params.genotypes), params.companions ? files(params.companions) : []])
        NORN_PRSSCORE(cohort, files(params.scores))
    }

    channel.topic('versions')
        .unique()
        .map { process, tool, version -> "${process}\t${tool}\t${version}\n" }
        .collectFile(name: 'versions.tsv', storeDir: params.outdir, sort: true)
}
