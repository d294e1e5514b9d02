process NORN_RELATE {
    tag "${meta.id}"
    label 'process_single'

    conda "${moduleDir}/environment.yml"
    container 'norn:0.1.0'

    input:
    tuple val(meta), path(fingerprints)
    path ped

    output:
    tuple val(meta), path("*.pairs.tsv"), emit: pairs
    tuple val(meta), path("*.samples.tsv"), emit: samples
    tuple val("${task.process}"), val('norn'), eval("norn --version | sed 's/norn //'"), topic: versions, emit: versions_norn

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    def prefix = task.ext.prefix ?: "${meta.id}"
    def ped_arg = ped ? "--ped ${ped}" : ''
    """
    norn relate \\
        ${ped_arg} \\
        ${args} \\
        --output ${prefix} \\
        ${fingerprints}
    """

    stub:
    def prefix = task.ext.prefix ?: "${meta.id}"
    """
    touch ${prefix}.pairs.tsv ${prefix}.samples.tsv
    """
}
