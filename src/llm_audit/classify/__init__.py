"""Would a smaller model have sufficed?"""
