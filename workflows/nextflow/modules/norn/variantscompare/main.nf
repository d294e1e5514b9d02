process NORN_VARIANTSCOMPARE {
    tag "${meta.id}"
    label 'process_low'

    conda "${moduleDir}/environment.yml"
    container 'norn:0.1.0'

    input:
    tuple val(meta), path(vcf), path(index)
    tuple val(meta3), path(truth), path(confident)
    tuple val(meta2), path(fasta), path(fai)

    output:
    tuple val(meta), path("*.summary.csv"), emit: summary
    tuple val(meta), path("*.extended.csv"), emit: extended
    tuple val(meta), path("*.vcf.gz"), optional: true, emit: vcf
    tuple val("${task.process}"), val('norn'), eval("norn --version | sed 's/norn //'"), topic: versions, emit: versions_norn

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    def prefix = task.ext.prefix ?: "${meta.id}.compared"
    def confident_arg = confident ? "--confident ${confident}" : ''
    """
    norn variants compare \\
        --quiet \\
        --threads ${task.cpus} \\
        --reference ${fasta} \\
        ${confident_arg} \\
        ${args} \\
        --output ${prefix} \\
        ${truth} \\
        ${vcf}
    """

    stub:
    def prefix = task.ext.prefix ?: "${meta.id}.compared"
    """
    touch ${prefix}.summary.csv ${prefix}.extended.csv
    echo '' | gzip > ${prefix}.vcf.gz
    """
}
