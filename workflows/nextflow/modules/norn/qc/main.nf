process NORN_QC {
    tag "${meta.id}"
    label 'process_medium'

    conda "${moduleDir}/environment.yml"
    container 'norn:0.1.0'

    input:
    tuple val(meta), path(reads), path(index)
    tuple val(meta2), path(fasta), path(fai)
    path sites
    path thresholds
    path targets

    output:
    tuple val(meta), path("*.qc.json"), emit: json
    tuple val(meta), path("*.qc.html"), emit: html
    tuple val(meta), path("*.{flagstat,idxstats,stats}.txt"), emit: samtools
    tuple val(meta), path("*.coverage.tsv"), emit: coverage
    tuple val(meta), path("*.mosdepth.*"), emit: mosdepth
    tuple val(meta), path("*_metrics"), emit: picard
    tuple val(meta), path("*.sex.tsv"), optional: true, emit: sex
    tuple val(meta), path("*.contamination.tsv"), optional: true, emit: contamination
    tuple val(meta), path("*.fingerprint.vcf.gz"), optional: true, emit: fingerprint
    tuple val(meta), path("*.thresholds_mqc.json"), optional: true, emit: verdict
    tuple val(meta), path("*.run.json"), emit: run
    tuple val("${task.process}"), val('norn'), eval("norn --version | sed 's/norn //'"), topic: versions, emit: versions_norn

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    def sites_arg = sites ? "--sites ${sites}" : ''
    def thresholds_arg = thresholds ? "--thresholds ${thresholds}" : ''
    def targets_arg = targets ? "--targets ${targets}" : ''
    """
    # Exit code 4 is a verdict (below thresholds), which the results hold.
    norn qc \\
        --quiet \\
        --threads ${task.cpus} \\
        --reference ${fasta} \\
        ${sites_arg} \\
        ${thresholds_arg} \\
        ${targets_arg} \\
        ${args} \\
        --output . \\
        ${reads} || [ \$? -eq 4 ]
    """

    stub:
    def prefix = task.ext.prefix ?: "${meta.id}"
    """
    touch ${prefix}.qc.json ${prefix}.qc.html ${prefix}.flagstat.txt ${prefix}.idxstats.txt ${prefix}.stats.txt
    touch ${prefix}.coverage.tsv ${prefix}.mosdepth.summary.txt ${prefix}.wgs_metrics ${prefix}.sex.tsv
    touch ${prefix}.contamination.tsv ${prefix}.thresholds_mqc.json ${prefix}.run.json
    echo '' | gzip > ${prefix}.fingerprint.vcf.gz
    """
}
