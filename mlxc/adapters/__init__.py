"""Classes of other packages, ASE and DeepChem, made of mlxc."""
