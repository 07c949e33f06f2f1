"""What TensorBoard shows: the plugin and its loader."""
