"""Bulletins 通报: monthly bulletins and yearly reports made from what was published, to be read, signed and sent."""
