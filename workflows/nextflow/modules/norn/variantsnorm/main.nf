process NORN_VARIANTSNORM {
    tag "${meta.id}"
    label 'process_low'

    conda "${moduleDir}/environment.yml"
    container 'norn:0.1.0'

    input:
    tuple val(meta), path(vcf), path(index)
    tuple val(meta2), path(fasta), path(fai)

    output:
    tuple val(meta), path("*.norm.vcf.gz"), emit: vcf
    tuple val(meta), path("*.norm.vcf.gz.csi"), emit: index
    tuple val(meta), path("*.run.json"), emit: run
    tuple val("${task.process}"), val('norn'), eval("norn --version | sed 's/norn //'"), topic: versions, emit: versions_norn

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: '--multiallelics -'
    def prefix = task.ext.prefix ?: "${meta.id}"
    """
    norn variants norm \\
        --quiet \\
        --threads ${task.cpus} \\
        --fasta-ref ${fasta} \\
        ${args} \\
        --write-index \\
        --output-type z \\
        --output ${prefix}.norm.vcf.gz \\
        ${vcf}
    """

    stub:
    def prefix = task.ext.prefix ?: "${meta.id}"
    """
    echo '' | gzip > ${prefix}.norm.vcf.gz
    touch ${prefix}.norm.vcf.gz.csi ${prefix}.norm.vcf.gz.run.json
    """
}
